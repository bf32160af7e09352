import { describe, expect, it } from 'vitest'
import { reference } from '../../src/backends/reference/index.js'
import { replayTrick } from '../../src/cli/parts/tricks/replayTrick.js'
import { resizeGrid } from '../../src/weights/resizeGrid.js'
import { differenceOf, recorded, recordings } from '../training/fineTuning/recordings.js'
import { problemOf, valueOf } from '../support/either.js'

describe('resizing a grid', () => {
  it.each([
    ['bilinear', { kind: 'bilinear', antialias: false }],
    ['bilinear_corners', { kind: 'bilinear', antialias: false, alignCorners: true }],
    ['bilinear_antialias', { kind: 'bilinear', antialias: true }],
    ['bicubic_corners', { antialias: false, alignCorners: true }],
    ['bicubic_smaller_corners', { antialias: false, alignCorners: true }],
    ['bicubic_offset', { antialias: false, scaleOffset: 0.1 }],
  ] as const)('gives what PyTorch does: %s', async (name, options) => {
    const [, height, width] = recordings.tensors.get(`grid/${name}`)!.shape as readonly [number, number, number, number]
    const resized = valueOf(resizeGrid(await recorded('grid/in'), { from: [5, 7], to: [height, width], channels: 3, ...options }))
    expect(differenceOf(resized, await recorded(`grid/${name}`))).toBeLessThan(1e-6)
  })

  it('refuses options that exclude each other', () => {
    expect(problemOf(resizeGrid(new Float32Array(4), { from: [2, 2], to: [3, 3], channels: 1, antialias: true, alignCorners: true })).code).toBe('gridMalformed')
    expect(problemOf(resizeGrid(new Float32Array(4), { from: [2, 2], to: [3, 3], channels: 1, antialias: true, scaleOffset: 0.1 })).code).toBe('gridMalformed')
  })
})

it('vitrail verify replays recordings of resized position tables', async () => {
  const [verdict] = (await replayTrick('test/fixtures/weights/positions.safetensors', [reference], undefined))!.map(([, result]) => valueOf(result))
  expect(verdict).toMatchObject({ system: 'positionResize', ok: true, notCompared: [] })
  expect(Object.keys(verdict!.outputs)).toEqual(['case0.antialias_False', 'case0.antialias_True', 'case1.antialias_False', 'case1.antialias_True', 'swin_rel_table.13to23_bicubic'])
})
