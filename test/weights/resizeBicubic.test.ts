import { describe, expect, it } from 'vitest'
import { bicubicTaps } from '../../src/weights/bicubicTaps.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { resizeBicubic } from '../../src/weights/resizeBicubic.js'
import { fixtureBytes, left, right } from './safetensorsFile.js'

/** The largest difference, relative to the largest size of the second. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length)
  let [worst, scale] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs(a[i]! - b[i]!))
    scale = Math.max(scale, Math.abs(b[i]!))
  }
  return worst / scale
}

describe('bicubic resizing', () => {
  it('equals torch in float64, with and without antialiasing', async () => {
    const file = right(parseSafetensors(fixtureBytes('bicubic.safetensors')))
    const cases = JSON.parse(file.metadata['cases'] ?? '') as ReadonlyArray<[[number, number], [number, number], number]>
    expect(cases.length).toBe(9)
    for (const [i, [from, to, channels]] of cases.entries()) {
      for (const antialias of [true, false]) {
        const input = right(await file.read(`${i}.in`)()).data as Float32Array
        const output = right(await file.read(`${i}.${antialias}`)()).data
        expect(difference(right(resizeBicubic(input, { from, to, channels, antialias })), output)).toBeLessThan(1.5e-7)
      }
    }
  })

  it.each([true, false])('leaves a grid of the same size exactly as it is (antialias: %s)', (antialias) => {
    const grid = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i) / 3)
    expect(right(resizeBicubic(grid, { from: [4, 5], to: [4, 5], channels: 3, antialias }))).toEqual(grid)
  })

  it.each([true, false])('has weights that sum to one (antialias: %s)', (antialias) => {
    for (let from = 1; from <= 12; from++) {
      for (let to = 1; to <= 40; to++) {
        for (const { inputs, weights } of bicubicTaps(from, to, antialias)) {
          expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 14)
          expect(inputs.every((input) => input >= 0 && input < from)).toBe(true)
        }
      }
    }
  })

  it('reproduces a straight slope away from the borders', () => {
    const slope = Float32Array.from({ length: 20 }, (_, i) => i)
    const wide = right(resizeBicubic(slope, { from: [1, 20], to: [1, 40], channels: 1, antialias: true }))
    for (let i = 8; i < 32; i++) expect(wide[i]).toBeCloseTo((i + 0.5) / 2 - 0.5, 5)
  })

  it('refuses lengths and sizes that make no grid', () => {
    const options = { from: [2, 3], to: [4, 4], channels: 2, antialias: true } as const
    const six = new Float32Array(6)
    expect(left(resizeBicubic(six, options))).toMatchObject({
      code: 'lengthMismatch', sentence: 'resize: 6 values are not a grid of 2×3×2', expected: '12 values', actual: '6 values',
    })
    for (const size of [0, -1, 1.5, NaN, Infinity]) {
      expect(left(resizeBicubic(six, { ...options, to: [size, 4] })).code).toBe('gridMalformed')
      expect(left(resizeBicubic(six, { ...options, channels: size })).code).toBe('gridMalformed')
    }
    expect(left(resizeBicubic(six, { ...options, to: [1e6, 1e6] })).code).toBe('gridMalformed')
  })
})
