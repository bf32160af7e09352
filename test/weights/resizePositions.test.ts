import { describe, expect, it } from 'vitest'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { resizePositions, type PositionResize } from '../../src/weights/resizePositions.js'
import { fixtureBytes, left, right } from './safetensorsFile.js'

const file = right(parseSafetensors(fixtureBytes('positions.safetensors')))
const tensor = async (name: string): Promise<Float32Array> => right(await file.read(name)()).data as Float32Array

/** Torch's float32 coordinates alone are off by this much: its own float64 differs by 1.9e-6 from these recordings. */
const float32Noise = 2.5e-6

const compare = (found: Float32Array, recorded: Float32Array): void => {
  expect(found.length).toBe(recorded.length)
  const scale = recorded.reduce((size, x) => Math.max(size, Math.abs(x)), 0)
  const worst = recorded.reduce((size, x, i) => Math.max(size, Math.abs(x - found[i]!)), 0)
  expect(worst / scale).toBeLessThan(float32Noise)
}

const small: PositionResize = { from: [2, 3], to: [3, 2], dim: 2, prefixTokens: 1, antialias: true }

describe('resizing a position table', () => {
  it.each([
    ['case0', [14, 14], [24, 24], true], ['case0', [14, 14], [24, 24], false],
    ['case1', [24, 24], [14, 14], true], ['case1', [24, 24], [14, 14], false],
  ] as const)('gives timm\'s recording %s, %j to %j, antialias %s', async (name, from, to, antialias) => {
    const table = await tensor(`${name}.in`)
    const resized = right(resizePositions(table, { from, to, dim: 4, prefixTokens: 1, antialias }))
    compare(resized, await tensor(`${name}.antialias_${antialias ? 'True' : 'False'}`))
    expect(resized.subarray(0, 4)).toEqual(table.subarray(0, 4))
  })

  it('gives Swin\'s relative-position table', async () => {
    const options = { from: [13, 13], to: [23, 23], dim: 3, prefixTokens: 0, antialias: false } as const
    compare(right(resizePositions(await tensor('swin_rel_table.in'), options)), await tensor('swin_rel_table.13to23_bicubic'))
  })

  it('keeps rows rows when the grid is not square', () => {
    // The value is the row: resizing the width must not change it.
    const rows = Float32Array.of(9, 0, 0, 0, 1, 1, 1)
    const resized = right(resizePositions(rows, { ...small, dim: 1, to: [2, 5] }))
    expect([...resized].map((x) => Math.round(x * 1e5) / 1e5)).toEqual([9, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
  })

  it('leaves its input alone', () => {
    const table = Float32Array.from({ length: 14 }, (_, i) => i)
    right(resizePositions(table, small))
    expect(table).toEqual(Float32Array.from({ length: 14 }, (_, i) => i))
  })

  it('refuses a table of another length, and says how many prefix tokens would fit', () => {
    expect(left(resizePositions(new Float32Array(12), small))).toMatchObject({
      code: 'lengthMismatch',
      sentence: 'position table: 12 values are not 7 tokens of dim 2 (a 2×3 grid and 1 prefix tokens)',
      expected: '14 values',
      actual: '12 values',
      remedy: 'the length is right for prefixTokens: 0',
    })
    expect(left(resizePositions(new Float32Array(99), small)).remedy).toBeUndefined()
  })

  it('refuses impossible grids', () => {
    const table = new Float32Array(14)
    for (const wrong of [{ to: [0, 2] }, { from: [2, 1.5] }, { dim: -2 }, { prefixTokens: -1 }, { prefixTokens: 0.5 }] as const) {
      expect(left(resizePositions(table, { ...small, ...wrong })).code).toBe('gridMalformed')
    }
    expect(left(resizePositions(table, { ...small, to: [1e6, 1e6] })).code).toBe('gridMalformed')
  })
})
