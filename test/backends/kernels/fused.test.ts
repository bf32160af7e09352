import { beforeAll, describe, expect, it } from 'vitest'
import { repeatsOf } from '../../../src/backends/wasm/kernels/elementwise.js'
import * as ops from '../../../src/ops/ops.js'
import type { ElementwiseStep, Tensor } from '../../../src/ops/tensor.js'
import { evaluateGraph } from '../../evaluateGraph.js'
import { binaries, expectClose, loadBackend, random, run, type Dense } from './support.js'

/** What an op is defined to give for values whose first axis is the batch. */
const defined = (batch: number, xs: readonly Dense[], make: (xs: readonly Tensor[]) => Tensor): Dense => {
  const inputs = xs.map((x, i) => ops.input(`x${i}`, x.shape.slice(1)))
  const [value] = evaluateGraph([make(inputs)], batch, node => xs[inputs.indexOf(node as Tensor<'input'>)]!.values)
  return { shape: value!.shape, values: Float64Array.from(value!.data) }
}

describe.each(binaries)('fused kernels, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  it('the gradient of attention, for any number of tokens, heads and channels, in one block of queries or several', () => {
    for (const [tokens, heads, d] of [[1, 1, 1], [3, 2, 5], [9, 3, 8], [50, 2, 12], [127, 1, 4], [128, 1, 8], [129, 1, 7], [260, 1, 16]] as const) {
      const [qkv, dy] = [random([2, tokens, 3 * heads * d], tokens), random([2, tokens, heads * d], tokens + 1)]
      const attributes = { numHeads: heads, scale: d ** -0.5 }
      const expected = defined(2, [qkv, dy], ([a, b]) => ops.packedAttentionGradient(a!, b!, attributes))
      expectClose(run('VitrailPackedAttentionGradient', { qkv, dy }, attributes), expected, 2e-5)
    }
  })

  it('the gradient of attention with a bias for all images, for each window or for each sample, and that of its scores', () => {
    for (const [windows, tokens, heads, d] of [[1, 1, 1, 1], [3, 5, 2, 3], [4, 9, 3, 8], [2, 49, 2, 12], [1, 131, 2, 4], [2, 132, 1, 16]] as const) {
      const [qkv, dy] = [random([2, windows, tokens, 3 * heads * d], tokens), random([2, windows, tokens, heads * d], tokens + 1)]
      for (const own of [[1, 1], [1, windows], [2, windows], [2, 1]])
        for (const scores of [false, true]) {
          const bias = random([...own, heads, tokens, tokens], 7, 2)
          const attributes = { numHeads: heads, scale: d ** -0.5, scores }
          const shared = random(own[0] === 1 ? [2, ...bias.shape.slice(1)] : bias.shape, 0, 0)
          const repeated = { shape: shared.shape, values: shared.values.map((_, i) => bias.values[i % bias.values.length]!) }
          const expected = defined(2, [qkv, dy, repeated], ([a, b, c]) => ops.packedAttentionGradient(a!, b!, attributes, c!))
          expectClose(run('VitrailPackedAttentionGradient', { qkv, dy, bias }, attributes), expected, 3e-5)
        }
    }
  })

  it('the gradient of attention to keys that a bias of minus infinity hides is zero', () => {
    const [qkv, dy] = [random([1, 9, 24], 1), random([1, 9, 8], 2)]
    const bias = { shape: [1, 2, 9, 9], values: Float32Array.from({ length: 162 }, (_, i) => (i % 9 > 3 ? -Infinity : 0)) }
    const { values } = run('VitrailPackedAttentionGradient', { qkv, dy, bias }, { numHeads: 2, scale: 0.5, scores: true })
    const width = 24 + 2 * 9
    for (let row = 0; row < 9; row++)
      for (let at = 0; at < width; at++) {
        const isHidden = at < 24 ? row > 3 && at >= 8 : (at - 24) % 9 > 3
        expect(isHidden ? Math.abs(values[row * width + at]!) : 0).toBe(0)
        expect(values[row * width + at]).not.toBeNaN()
      }
  })

  const steps: readonly ElementwiseStep[] = [{ op: 'multiply', of: [0, 1] }, { op: 'sigmoid', of: [2] }, { op: 'subtract', of: [3, 0] }, { op: 'tanh', of: [4] }, { op: 'maximum', of: [1, 5] }]

  it('elementwise ops in a row, operands repeated along any axes', () => {
    const shape = [3, 4, 9, 70]
    for (let kept = 0; kept < 16; kept++) {
      const [a, b] = [random(shape, kept), random(shape.map((n, axis) => ((kept >> axis) & 1 ? n : 1)), kept + 50)]
      const result = (): Dense => run('VitrailElementwise', { 0: a, 1: b }, { steps, shape })
      if (repeatsOf(b.shape, shape) === undefined) expect(result).toThrow('does not repeat')
      else expectClose(result(), elementwise(a, b, shape), 1e-6)
    }
  })

  it('elementwise ops in a row on any number of elements, more than a thread takes at once', () => {
    for (const n of [1, 3, 4, 5, 255, 256, 257, 1023, 1025, 5000]) {
      const [a, b] = [random([n], n), random([n], n + 1)]
      expectClose(run('VitrailElementwise', { 0: a, 1: b }, { steps, shape: [n] }), elementwise(a, b, [n]), 1e-6)
    }
  })

  it('refuses what it cannot do', () => {
    const x = random([2, 3], 1)
    expect(() => run('VitrailElementwise', { 0: x }, { steps: [{ op: 'erfinv', of: [0] }], shape: [2, 3] })).toThrow('step 0 (erfinv)')
    expect(() => run('VitrailElementwise', { 0: x }, { steps: [{ op: 'add', of: [0, 1] }], shape: [2, 3] })).toThrow('not there')
    expect(() => run('VitrailElementwise', { 0: x }, { steps: [{ op: 'relu', of: [0] }], shape: [2, 4] })).toThrow('does not repeat')
    expect(() => run('VitrailPackedAttention', { qkv: random([1, 4, 12], 1), bias: random([2, 4, 5], 2) }, { numHeads: 2, scale: 1 })).toThrow('the bias must be [2, 4, 4]')
    expect(() => run('VitrailPackedAttentionGradient', { qkv: random([1, 4, 12], 1), dy: random([1, 4, 5], 2) }, { numHeads: 2, scale: 1 })).toThrow('dy must be [1, 4, 4]')
  })
})

/** The steps above, in plain loops. */
const elementwise = (a: Dense, b: Dense, shape: readonly number[]): Dense => {
  const at = (x: Dense, i: number): number => {
    let [rest, index, stride] = [i, 0, 1]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (x.shape[axis] !== 1) index += (rest % shape[axis]!) * stride
      stride *= x.shape[axis]!
      rest = Math.floor(rest / shape[axis]!)
    }
    return x.values[index]!
  }
  return { shape, values: Float64Array.from({ length: shape.reduce((m, n) => m * n, 1) }, (_, i) => Math.max(at(b, i), Math.tanh(1 / (1 + Math.exp(-at(a, i) * at(b, i))) - at(a, i)))) }
}
