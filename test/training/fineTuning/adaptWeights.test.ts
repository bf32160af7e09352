import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { coatnetRecipe, convitRecipe, recipes, swinRecipe, vitRecipe, type Recipe } from '../../../recipes/index.js'
import { absolutePositionEmbed, adaptWeights, atResolution, initialWeights, input, linear, named, patchEmbed, positionEmbed, positionTables, replaceHead, resizeGrid, trace, withLayerScale, type AnyModel } from '../../../src/index.js'
import { sizeOf } from '../../../src/shape/shape.js'
import { problemOf, valueOf } from '../../support/either.js'
import { differenceOf, outputOf, recorded, recordedBelow } from './recordings.js'

/** Torch's float32 coordinates of resized tables are off by 2e-6 (test/weights/resizePositions.test.ts). */
const tolerance = 1e-5

const vit = vitRecipe({ imageSize: 32, patchSize: 8, dim: 16, depth: 1, numHeads: 2, numClasses: 5 })
const swin = swinRecipe({ imageSize: 32, patchSize: 4, dim: 12, depths: [1, 2], numHeads: [2, 3], windowSize: 4, numClasses: 5 })
const coatnet = coatnetRecipe({ imageSize: 32, dims: [8, 16], depths: [1, 1], blocks: ['conv', 'attention'], stemDims: 8, headDim: 8, numClasses: 5 })
const convit = convitRecipe({ imageSize: 32, patchSize: 8, dim: 32, depth: 2, numHeads: 4, localLayers: 1, numClasses: 5 })
const as = (recipe: unknown): Recipe => recipe as Recipe

const cases: readonly (readonly [string, Recipe, Recipe])[] = [
  ['vit', as(vit), vit.withConfig({ imageSize: 48 })],
  ['vitSmaller', vit.withConfig({ imageSize: 48 }), as(vit)],
  ['vitRegisters', vit.withConfig({ registers: 2, prefixPositions: false }), vit.withConfig({ registers: 2, prefixPositions: false, imageSize: [40, 56] })],
  ['vitWide', vit.withConfig({ classToken: false, pool: 'average', imageSize: [32, 48] }), vit.withConfig({ classToken: false, pool: 'average', imageSize: [48, 32] })],
  ['swin', as(swin), swin.withConfig({ imageSize: 48, windowSize: 6 })],
  ['coatnet', as(coatnet), coatnet.withConfig({ imageSize: 48 })],
  ['coatnetGrid', coatnet.withConfig({ positions: 'grid' }), coatnet.withConfig({ positions: 'grid', imageSize: 48 })],
  ['convit', as(convit), convit.withConfig({ imageSize: 48 })],
]

describe('the weights of a model at another image size', () => {
  it.each(cases)('are those of timm and PyTorch: %s', async (name, { model: from }, { model: to }) => {
    const { weights, report } = valueOf(adaptWeights(await recordedBelow(`${name}/before`), from, to))
    const tables = await recordedBelow(`${name}/after`)
    expect(tables.size).toBeGreaterThan(0)
    for (const [table, values] of tables) expect([table, differenceOf(weights.get(table)!, values) < tolerance]).toEqual([table, true])
    expect(report.resized.map(({ name: table }) => table).sort()).toEqual([...tables.keys()].sort())
    expect([report.new, report.unused]).toEqual([[], []])
    expect(differenceOf(await outputOf(to, weights, await recorded(`${name}/x`)), await recorded(`${name}/logits`))).toBeLessThan(tolerance)
  })

  it('say what was resized', async () => {
    const { report } = valueOf(adaptWeights(await recordedBelow('swin/before'), swin.model, swin.withConfig({ imageSize: 48, windowSize: 6 }).model))
    expect(report.resized[0]).toEqual({ name: 'layers.0.blocks.0.attn.relative_position_bias_table', from: [7, 7], to: [11, 11] })
    expect(report.resized.length).toBe(3)
  })

  it('are resized whichever layer keeps the table', async () => {
    const patches = patchEmbed({ patchSize: 4, dim: 4 })
    const rows = pipe(input(8, 12, 3), patches, positionEmbed({ kind: 'learned2d' }))
    const map = pipe(input(8, 12, 3), patches, positionEmbed())
    const places = pipe(input(8, 12, 3), patches, absolutePositionEmbed())
    for (const [m, name, from, to, channels] of [
      [rows, 'pos_embed_rows', [2, 1], [4, 1], 2], [rows, 'pos_embed_columns', [1, 3], [1, 2], 2], [map, 'pos_embed', [2, 3], [4, 2], 4], [places, 'absolute_pos_embed', [2, 3], [4, 2], 4],
    ] as const) {
      const weights = valueOf(initialWeights(m, 2))
      const adapted = valueOf(adaptWeights(weights, m, valueOf(atResolution(m, [16, 8]))))
      expect([name, adapted.weights.get(name)]).toEqual([name, valueOf(resizeGrid(weights.get(name)!, { from, to, channels, antialias: true }))])
      expect(adapted.report.resized).toContainEqual({ name, from, to })
    }
  })

  it('are resized without antialiasing where that is asked for, and relative tables always', async () => {
    const before = await recordedBelow('vitSmaller/before')
    const [large, small] = [vit.withConfig({ imageSize: 48 }).model, vit.model]
    const plain = valueOf(adaptWeights(before, large, small, { antialias: false })).weights.get('pos_embed')!
    const table = before.get('pos_embed')!
    const grid = valueOf(resizeGrid(table.subarray(16), { from: [6, 6], to: [4, 4], channels: 16, antialias: false }))
    expect(plain).toEqual(Float32Array.from([...table.subarray(0, 16), ...grid]))
    expect(differenceOf(plain, await recorded('vitSmaller/after/pos_embed'))).toBeGreaterThan(0.01)
  })
})

describe('the weights of a model with something else changed', () => {
  const weights = valueOf(initialWeights(vit.model, 1))

  it('begin anew where the head has another size, from the seed, as new weights do', () => {
    const to = valueOf(replaceHead(vit.model, 9))
    const { weights: adapted, report } = valueOf(adaptWeights(weights, vit.model, to, { seed: 4 }))
    expect(report.new).toEqual([{ name: 'head.weight', why: 'head' }, { name: 'head.bias', why: 'head' }])
    expect(report.kept.length).toBe(weights.size - 2)
    const fresh = valueOf(initialWeights(to, 4))
    for (const [name, values] of adapted) expect([name, values]).toEqual([name, name.startsWith('head.') ? fresh.get(name) : weights.get(name)])
  })

  it('gain what is new and lose what is gone, and say so', () => {
    const scaled = valueOf(withLayerScale(vit.model, 0.5))
    const there = valueOf(adaptWeights(weights, vit.model, scaled))
    expect(there.report.new).toEqual([{ name: 'blocks.0.ls1.gamma', why: 'missing' }, { name: 'blocks.0.ls2.gamma', why: 'missing' }])
    expect(there.weights.get('blocks.0.ls1.gamma')).toEqual(new Float32Array(16).fill(0.5))
    expect(valueOf(adaptWeights(there.weights, scaled, vit.model)).report.unused).toEqual(['blocks.0.ls1.gamma', 'blocks.0.ls2.gamma'])
  })

  it('are refused where anything else is of another shape', () => {
    const wide = vit.withConfig({ mlpRatio: 2 }).model
    expect(problemOf(adaptWeights(weights, vit.model, wide))).toMatchObject({ code: 'weightsMisfit', sentence: expect.stringContaining('"blocks.0.mlp.fc1.weight" [64, 16] instead of [32, 16]') })
  })

  it('are refused where they are not those of the first model, or have nothing in common with the second', () => {
    expect(problemOf(adaptWeights(new Map(), vit.model, vit.model)).code).toBe('missingWeight')
    expect(problemOf(adaptWeights(new Map([...weights, ['head.bias', new Float32Array(3)]]), vit.model, vit.model)).sentence).toBe("adaptWeights: 'head.bias' has 3 values, but 5 needs 5")
    const other = convitRecipe({ imageSize: 32, patchSize: 8, dim: 32, depth: 1, numHeads: 4, localLayers: 1 }).model
    const one = pipe(input(4), named('one', linear(2)))
    expect(problemOf(adaptWeights(valueOf(initialWeights(one, 1)), one, other)).code).toBe('nothingMatches')
  })
})

describe('the position tables of a published model', () => {
  it.each(Object.entries(recipes))('%s: are all its parameters of that name, with as many values', (_, { model }) => {
    const tables = valueOf(positionTables(model as AnyModel))
    const parameters = valueOf(trace(model as AnyModel)).parameters.filter(p => /pos_embed(_rows|_columns)?$|visual\.positional_embedding|relative_position_bias_table/.test(p.attributes.name))
    expect([...tables.keys()]).toEqual(parameters.map(p => p.attributes.name))
    for (const { attributes: { name }, shape } of parameters) {
      const { grid, prefixTokens, dim } = tables.get(name)!
      expect([name, (grid[0] * grid[1] + prefixTokens) * dim]).toEqual([name, sizeOf(shape)])
    }
  })
})
