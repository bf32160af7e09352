import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { planOf } from '../../../src/backends/wasm/kernels/copy.js'
import { gather } from './definitions.js'
import { binaries, expectClose, loadBackend, random, run, runTensors, sizeOf } from './support.js'
import { uniform } from './uniform.js'

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
const permutations = (n: number): number[][] =>
  n === 0 ? [[]] : permutations(n - 1).flatMap((p) => Array.from({ length: n }, (_, at) => [...p.slice(0, at), n - 1, ...p.slice(at)]))

describe.each(binaries)('copies, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  const checkTranspose = (shape: number[], perm: number[]): void => {
    const x = random(shape, perm.length)
    const strides = stridesOf(shape)
    const expected = gather(x, perm.map((axis) => shape[axis]!), perm.map((axis) => strides[axis]!), 0)
    expectClose(run('VitrailTranspose', { x }, { perm }), expected, 0)
  }

  it('every permutation of up to four axes', () => {
    for (const shape of [[7], [5, 9], [17, 4], [3, 5, 7], [4, 8, 4], [1, 6, 5], [2, 3, 4, 5], [3, 1, 9, 2], [5, 4, 3, 17]])
      for (const perm of permutations(shape.length)) checkTranspose(shape, perm)
  })

  it('permutations of five and six axes', () => {
    for (const perm of permutations(5)) checkTranspose([2, 3, 4, 5, 3], perm)
    for (const perm of permutations(6)) checkTranspose([2, 3, 2, 1, 4, 3], perm)
    checkTranspose([2, 2, 7, 2, 7, 8], [0, 1, 3, 2, 4, 5])
  })

  it('large transpositions, and more axes than six where they merge', () => {
    checkTranspose([197, 65], [1, 0])
    checkTranspose([64, 48], [1, 0])
    checkTranspose([2, 1, 3, 1, 4, 1, 5, 2], [0, 1, 2, 3, 6, 7, 4, 5])
  })

  it('slices of every rank', () => {
    const next = uniform(11)
    for (let round = 0; round < 300; round++) {
      const shape = Array.from({ length: 1 + (round % 6) }, () => 1 + Math.floor(Math.abs(next()) * 6))
      const begin = shape.map((n) => Math.floor(Math.abs(next()) * n))
      const size = shape.map((n, axis) => 1 + Math.floor(Math.abs(next()) * (n - begin[axis]!)))
      const x = random(shape, round)
      const strides = stridesOf(shape)
      const offset = begin.reduce((sum, at, axis) => sum + at * strides[axis]!, 0)
      expectClose(run('VitrailSlice', { x }, { begin, size }), gather(x, size, strides, offset), 0)
    }
  })

  it('takes -1 for the rest of an axis, empty blocks and int32', () => {
    const x = random([3, 5], 1)
    expectClose(run('VitrailSlice', { x }, { begin: [1, 2], size: [-1, -1] }), gather(x, [2, 3], [5, 1], 7), 0)
    expect(run('VitrailSlice', { x }, { begin: [1, 2], size: [0, 3] }).shape).toEqual([0, 3])
    tf.tidy(() => {
      const numbers = tf.tensor([1, -2, 2143289345, 4, 5, 2139095041], [2, 3], 'int32')
      const swapped = runTensors('VitrailTranspose', { x: numbers }, { perm: [1, 0] })
      expect(swapped.dtype).toBe('int32')
      expect([...swapped.dataSync()]).toEqual([1, 4, -2, 5, 2143289345, 2139095041])
    })
  })

  it('refuses blocks outside, wrong orders and too many axes, with a sentence', () => {
    const x = random([3, 5], 1)
    expect(() => run('VitrailSlice', { x }, { begin: [1, 2], size: [3, 1] })).toThrow('is not inside [3, 5]')
    expect(() => run('VitrailSlice', { x }, { begin: [1], size: [3] })).toThrow('one integer for each axis')
    expect(() => run('VitrailTranspose', { x }, { perm: [0, 0] })).toThrow('not an order of the axes')
  })
})

describe('planOf', () => {
  it('leaves a last axis of one element where the destination has gaps', () => {
    expect(planOf([3, 2], [2, 1], [8, 4])).toEqual([{ size: 6, from: 1, to: 4 }, { size: 1, from: 1, to: 1 }])
  })

  it('merges what the source walks as one run', () => {
    expect(planOf([2, 3, 4], [12, 4, 1], [12, 4, 1])).toEqual([{ size: 24, from: 1, to: 1 }])
    expect(planOf([1, 1], [1, 1], [1, 1])).toEqual([{ size: 1, from: 1, to: 1 }])
  })

  it('puts the axis contiguous in the source before the last', () => {
    expect(planOf([4, 3, 2], [1, 4, 12], [6, 2, 1])).toEqual([
      { size: 3, from: 4, to: 2 },
      { size: 4, from: 1, to: 6 },
      { size: 2, from: 12, to: 1 },
    ])
  })
})
