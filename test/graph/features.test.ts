import { readdirSync } from 'node:fs'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { convit } from '../../recipes/convit.js'
import { recipes } from '../../recipes/index.js'
import { detector } from '../../recipes/kit/detector.js'
import { vitTokens } from '../../recipes/vit.js'
import { reference } from '../../src/backends/reference/index.js'
import { openRecording } from '../../src/cli/parts/recording.js'
import { sampleInput } from '../../src/cli/parts/sampleInput.js'
import { classToken, compile, encoderBlock, expectShape, expose, features, fromJson, globalPool, initialWeights, input, layerNorm, levels, linear, named, openSession, parallel, places, repeat, selfAttention, serial, shapeOf, tap, toJson, trace, windowAttention, windows, type AnyModel } from '../../src/index.js'
import { collectNodes } from '../../src/graph/graph.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { attentionRollout } from '../../src/training/evaluate/attentionRollout.js'
import { problemOf, valueOf } from '../support/either.js'

const folder = 'test/fixtures/recordings/'
const families = readdirSync(folder)
const firstOf = (family: string): string => `${folder}${family}/${readdirSync(folder + family).filter(file => !file.includes('.grad')).sort()[0]!}`

type Values = Float32Array | { readonly [name: string]: Values }
const flat = (values: Values): readonly number[] => (values instanceof Float32Array ? [...values] : ArrayBuffer.isView(values) ? [...(values as unknown as Int32Array)] : Object.values(values).flatMap(flat))

const ran = async (m: unknown, x: unknown, weights: ReadonlyMap<string, Float32Array>): Promise<Readonly<Record<string, Float32Array>>> => {
  const program = valueOf(await compile(m as AnyModel as never, { backend: reference, weights })())
  const values = valueOf(await program.run(x as never)())
  program.dispose()
  return values as never
}
const seeded = (m: unknown, factor = 8): Map<string, Float32Array> => new Map([...valueOf(initialWeights(m as AnyModel, 5))].map(([name, values]) => [name, /norm|gating|running/.test(name) ? values : values.map(value => factor * value)]))

describe('features', () => {
  it.each(families)('are those that compile gives, all from one run, of a model of the family %s', async family => {
    const recording = valueOf(await openRecording(firstOf(family))())
    const { model } = recording.replica
    const paths = [...recording.graph.features.keys()].filter((_, i, all) => i % Math.ceil(all.length / 8) === 0)
    const x = sampleInput((model as AnyModel).input, 2)
    const weights = seeded(model, 1)
    const program = valueOf(await compile(model as never, { backend: reference, weights, features: paths })())
    const expected = valueOf(await program.runWithFeatures(x as never)()).features as Readonly<Record<string, Values>>
    program.dispose()
    const found = await ran(valueOf(features(model, paths)), x, weights)
    expect(Object.keys(found)).toEqual(paths)
    for (const path of paths) expect([path, flat(found[path]!)]).toEqual([path, flat(expected[path]!)])
    await recording.close()
  })

  it('have the names of parameters, and do not compute what they do not need', () => {
    const { model } = recipes.vit_tiny_patch16_224
    const early = valueOf(features(model, { early: 'blocks.2' }))
    const namesOf = (m: unknown): readonly string[] => valueOf(trace(m as AnyModel)).parameters.map(p => p.attributes.name)
    expect(namesOf(early)).toEqual(namesOf(model))
    const nodesOf = (m: unknown): number => valueOf(trace(m as AnyModel)).nodes.length
    expect(nodesOf(early)).toBeLessThan(0.35 * nodesOf(model))
  })

  it('are of recipes and of models, by paths or under names', () => {
    expect(shapeOf(valueOf(features(recipes.vit_tiny_patch16_224, ['blocks.3', 'blocks.3.attn.weights'])))).toEqual({ _tag: 'Right', right: { 'blocks.3': [197, 192], 'blocks.3.attn.weights': [3, 197, 197] } })
    expect(shapeOf(valueOf(features(recipes.swin_tiny_patch4_window7_224.model, { p2: 'layers.0', p5: 'layers.3', whole: '' })))).toEqual({ _tag: 'Right', right: { p2: [56, 56, 96], p5: [7, 7, 768], whole: [1000] } })
  })

  it('at no path of the model are refused, with one that is near', () => {
    expect(problemOf(features(recipes.vit_tiny_patch16_224, ['blocks.3.atn']))).toMatchObject({ code: 'unknownPath', actual: 'blocks.3.atn', remedy: "did you mean 'blocks.3.attn'?" })
    expect(problemOf(features(recipes.vit_tiny_patch16_224, ['blocks.12']))).toMatchObject({ code: 'unknownPath', remedy: expect.stringMatching(/^in 'blocks' there are: 0, 1, 2/) as string })
    expect(problemOf(features(recipes.vit_tiny_patch16_224, ['']))).toMatchObject({ code: 'badName' })
    expect(problemOf(features(recipes.vit_tiny_patch16_224, []))).toMatchObject({ code: 'badName' })
  })

  it('are open where the compiler does not know them, until a shape is stated', () => {
    const model = pipe(input(5, 8), repeat(2, encoderBlock({ numHeads: 2 })), tap('seen', linear(3)))
    const found = valueOf(features(model, { block: 'blocks.1', seen: 'seen' }))
    expect(valueOf(shapeOf(pipe(found, parallel({ block: serial(expectShape(5, 8), linear(2)), seen: expectShape(5, 3) }))))).toEqual({ block: [5, 2], seen: [5, 3] })
  })
})

describe('levels', () => {
  it.each([
    ['swin_tiny_patch4_window7_224', [[4, 96, 'layers.0'], [8, 192, 'layers.1'], [16, 384, 'layers.2'], [32, 768, 'norm']]],
    ['ms_swin_tiny_patch4_window7_224', [[4, 96, 'layers.0.blocks'], [8, 192, 'layers.1.blocks'], [16, 384, 'layers.2.blocks'], [32, 768, 'norm']]],
    ['coatnet_0_rw_224', [[2, 64, 'stem'], [4, 96, 'stages.0'], [8, 192, 'stages.1'], [16, 384, 'stages.2'], [32, 768, undefined]]],
    ['vit_tiny_patch16_224', [[16, 192, 'patch_embed.proj']]],
  ] as const)('of %s are its maps at each size, with their strides', (id, expected) => {
    const recipe = recipes[id] as unknown as { readonly model: AnyModel }
    const found = valueOf(levels(recipe))
    expect(found.map(({ stride, channels }) => [stride, channels])).toEqual(expected.map(([stride, channels]) => [stride, channels]))
    expected.forEach(([, , path], i) => expect(path ?? found[i]!.path).toBe(found[i]!.path))
    const maps = valueOf(shapeOf(valueOf(features(recipe, Object.fromEntries(found.map(level => [`p${Math.log2(level.stride)}`, level.path])))))) as unknown as Readonly<Record<string, readonly number[]>>
    for (const { stride, channels } of found) expect(maps[`p${Math.log2(stride)}`]).toEqual([224 / stride, 224 / stride, channels])
  })

  it('are refused of models that take no image', () => {
    expect(problemOf(levels(pipe(input(5, 8), linear(3)) as AnyModel))).toMatchObject({ code: 'notAnImageModel' })
  })
})

describe('exposed outputs', () => {
  const inner = serial(named('a', linear(3)), tap('seen', layerNorm()), named('b', linear(2)))

  it('are of what is inside the layer, and not of one before it by the same name', async () => {
    const model = pipe(input(4), named('a', linear(4)), named('part', expose(inner, { a: 'a', tapped: 'seen', whole: '' })))
    const weights = seeded(model)
    const x = Float32Array.of(1, -2, 0.5, 3)
    const found = await ran(model, x, weights)
    const a = await ran(pipe(input(4), named('a', linear(4)), named('part', serial(named('a', linear(3))))), x, weights) as unknown as Float32Array
    expect([...found['a']!]).toEqual([...a])
    expect([found['tapped']!.length, found['whole']!.length]).toEqual([3, 2])
  })

  it('of a layer in windows are those of all windows', () => {
    const blocks = windows({ windowSize: 2, shift: 1 }, serial(windowAttention({ numHeads: 2 }), linear(4)))
    expect(valueOf(shapeOf(pipe(input(4, 6, 8), expose(blocks, { weights: 'attn.weights', out: 'linear' }))))).toEqual({ weights: [6, 2, 4, 4], out: [6, 4, 4] })
  })

  it('survive JSON, and are found by path', () => {
    const model = pipe(input(4), expose(inner, { a: 'a', whole: '' }))
    expect(shapeOf(valueOf(fromJson(JSON.parse(JSON.stringify(toJson(model)))) ) as never)).toEqual(shapeOf(model))
    expect(valueOf(places(model as AnyModel)).filter(place => place.isNamed).map(place => place.path)).toEqual(['a', 'norm', 'b'])
  })
})

describe('attention weights', () => {
  it.each(['vit_tiny_patch16_224', 'convit_tiny', 'coatnet_0_rw_224', 'swin_tiny_patch4_window7_224', 't2t_vit_t_14', 'clip_vit_b32'].filter(id => id in recipes))('are features of every attention layer of %s', id => {
    const graph = valueOf(trace((recipes as unknown as Readonly<Record<string, { readonly model: AnyModel }>>)[id]!.model))
    const attention = graph.nodes.filter(n => n.op === 'attention').length
    const maps = [...graph.features].filter(([path]) => path.endsWith('.weights'))
    expect(maps.length).toBeGreaterThanOrEqual(Math.max(1, attention))
  })

  it('sum to 1 for every query, and see nothing ahead where attention is causal', async () => {
    const model = valueOf(features(pipe(input(4, 8), repeat(1, encoderBlock({ numHeads: 2, causal: true }))), { weights: 'blocks.0.attn.weights' }))
    const { weights } = await ran(model, Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)), seeded(model))
    for (let row = 0; row < 8; row++) {
      const own = weights!.subarray(4 * row, 4 * row + 4)
      expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
      expect([...own].filter((weight, key) => key > row % 4 && weight > 0)).toEqual([])
      expect(own[0]!).toBeGreaterThan(0)
    }
  })

  it('of windows are rows that sum to 1 in each window, masked where shifted', async () => {
    const model = pipe(input(4, 4, 4), expose(windows({ windowSize: 2, shift: 1 }, windowAttention({ numHeads: 2 })), { weights: 'attn.weights' }))
    const { weights } = await ran(model, Float32Array.from({ length: 64 }, (_, i) => Math.cos(i)), seeded(model))
    for (let row = 0; row < weights!.length / 4; row++) expect(weights!.subarray(4 * row, 4 * row + 4).reduce((a, b) => a + b)).toBeCloseTo(1, 6)
    // The last window holds the map's four corners, which are no neighbours: each sees itself.
    expect(Array.from(weights!.subarray(-16), weight => Math.round(weight))).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  })
})

describe('an attention rollout', () => {
  /** Abnar and Zuidema, 2020, section 3, by hand: the product of `½(A + I)`, `A` being the mean of the heads. */
  const byHand = (maps: readonly Float32Array[], heads: number, tokens: number): number[] => {
    let flow = Array.from({ length: tokens }, (_, i) => Array.from({ length: tokens }, (_, j) => Number(i === j)))
    for (const map of maps) {
      const layer = flow.map((_, i) => flow.map((_, j) => (Array.from({ length: heads }, (_, h) => map[(h * tokens + i) * tokens + j]!).reduce((a, b) => a + b) / heads + Number(i === j)) / 2))
      flow = layer.map(row => flow.map((_, j) => row.reduce((sum, weight, k) => sum + weight * flow[k]![j]!, 0)))
    }
    return flow[0]!
  }
  const rolled = async (model: AnyModel, maps: readonly string[], x: Float32Array) => {
    const graph = valueOf(trace(model))
    const map = attentionRollout(graph)!
    const outputs = { rollout: map.weights, maps: Object.fromEntries(maps.map(path => [path, graph.features.get(path)!])) }
    const session = valueOf(await openSession({ look: { inputs: graph.inputs, outputs } }, { backend: reference, weights: seeded(model) })())
    const values = valueOf(await session.run('look', x)()) as unknown as { readonly rollout: Float32Array; readonly maps: Readonly<Record<string, Float32Array>> }
    session.dispose()
    return { map, rollout: values.rollout, maps: maps.map(path => values.maps[path]!) }
  }
  const image = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i))

  it('is the product of all layers, of the heads that the layers have', async () => {
    const tokens = (recipes.vit_tiny_patch16_224.withConfig({ imageSize: 8, patchSize: 4, dim: 8, depth: 3, numHeads: 2, numClasses: 3 }) as unknown as { readonly model: AnyModel }).model
    const { map, rollout, maps } = await rolled(tokens, [0, 1, 2].map(i => `blocks.${i}.attn.weights`), image)
    expect([map.rows, map.columns]).toEqual([2, 2])
    byHand(maps, 2, 5).slice(1).forEach((weight, i) => expect(rollout[i]).toBeCloseTo(weight, 6))
  })

  it("goes on through gated attention, where ConViT's class token has not joined yet", async () => {
    const model = pipe(input(8, 8, 3), convit({ patchSize: 4, dim: 8, depth: 3, numHeads: 2, localLayers: 2, numClasses: 3 })) as unknown as AnyModel
    const paths = [0, 1, 2].map(i => `blocks.${i}.attn.weights`)
    const { rollout, maps } = await rolled(model, paths, image)
    // Before it joined, the class token's row and column were those of the identity.
    const widened = maps.map((map, i) => (i === 2 ? map : Float32Array.from({ length: 50 }, (_, at) => {
      const [h, q, k] = [Math.floor(at / 25), Math.floor((at % 25) / 5), at % 5]
      return q === 0 || k === 0 ? Number(q === k) : map[(h * 4 + q - 1) * 4 + k - 1]!
    })))
    byHand(widened, 2, 5).slice(1).forEach((weight, i) => expect(rollout[i]).toBeCloseTo(weight, 6))
  })

  it('of a detector is that of its backbone, however many queries look at each other', () => {
    for (const numQueries of [3, 4, 9]) {
      const model = pipe(input(8, 8, 3), detector(vitTokens({ patchSize: 4, dim: 8, depth: 2, numHeads: 2, classToken: false }), { dim: 8, numQueries, depth: 1, numHeads: 2, numClasses: 3 }))
      const graph = valueOf(trace(model as AnyModel))
      const map = attentionRollout(graph)!
      const used = new Set(collectNodes([map.weights]))
      const seen = [...graph.features].filter(([path, signal]) => path.endsWith('.weights') && used.has(signal as Tensor)).map(([path]) => path)
      expect([map.rows, map.columns, seen]).toEqual([2, 2, ['blocks.0.attn.weights', 'blocks.1.attn.weights']])
    }
  })

  it('is of the last stage where stages look at other places, and is none where all look in windows or there is no attention', () => {
    expect(attentionRollout(valueOf(trace(recipes.coatnet_0_rw_224.model as AnyModel)))).toMatchObject({ rows: 7, columns: 7 })
    expect(attentionRollout(valueOf(trace(recipes.swin_tiny_patch4_window7_224.model as AnyModel)))).toBeUndefined()
    expect(attentionRollout(valueOf(trace(pipe(input(4, 4, 3), globalPool()) as AnyModel)))).toBeUndefined()
    expect(attentionRollout(valueOf(trace(pipe(input(7, 8), classToken(), selfAttention({ numHeads: 2 })) as AnyModel)))).toBeUndefined()
  })
})
