import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { convitRecipe, convitRecipes, convitReplica } from '../../recipes/convit.js'
import { parametersOf, shapeOf, trace, type AnyModel, type Model } from '../../src/index.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

const tiny = { imageSize: 16, patchSize: 4, dim: 24, depth: 3, numHeads: 4, numClasses: 5 } as const
const graphOf = (model: unknown, mode: 'inference' | 'training' = 'inference') => valueOf(trace(model as AnyModel, { mode }))
const outcome = (model: unknown) => shapeOf(model as Model<unknown, unknown>)

describe('the class token', () => {
  const tokensOf = (localLayers: number) => {
    const { features } = graphOf(convitRecipe({ ...tiny, localLayers }).model)
    return ['blocks.0', 'blocks.1', 'blocks.2', 'norm'].map(name => (features.get(name) as { readonly shape: readonly number[] }).shape[0])
  }

  it.each([[0, [17, 17, 17, 17]], [1, [16, 17, 17, 17]], [2, [16, 16, 17, 17]], [3, [16, 16, 16, 16]], [7, [16, 16, 16, 16]]])('joins after %i local blocks', (localLayers, counts) => expect(tokensOf(localLayers)).toEqual(counts))

  it('is a weight even where it never joins, as in checkpoints', () => {
    for (const localLayers of [0, 1, 3]) expect(parametersOf(graphOf(convitRecipe({ ...tiny, localLayers }).model)).map(p => p.attributes.name)).toContain('cls_token')
  })
})

describe('the first weights of local blocks', () => {
  interface Local { readonly num_heads: number; readonly locality_strength: number; readonly set_rows: number; readonly pos_proj_weight_set_rows: readonly (readonly number[])[] }
  const recorded = JSON.parse(readFileSync('test/fixtures/weights/convit_local_init.json', 'utf8')) as Readonly<Record<string, Local>>

  it.each(Object.entries(recorded))('are those of the reference: %s', (_, { num_heads: numHeads, locality_strength: localityStrength, set_rows: rows, pos_proj_weight_set_rows: expected }) => {
    const dim = 2 * numHeads
    const weights = valueOf(initialWeights(convitRecipe({ ...tiny, dim, numHeads, localityStrength, localLayers: 1 }).model, 5))
    const of = (name: string): readonly number[] => Array.from(weights.get(`blocks.0.attn.${name}`)!)
    expect(Array.from({ length: rows }, (_, i) => of('pos_proj.weight').slice(3 * i, 3 * i + 3).map(w => w + 0))).toEqual(expected)
    expect(of('pos_proj.bias')).toEqual(Array<number>(numHeads).fill(0))
    expect(of('gating_param')).toEqual(Array<number>(numHeads).fill(1))
    expect(of('v.weight')).toEqual(Array.from({ length: dim * dim }, (_, i) => (i % (dim + 1) === 0 ? 1 : 0)))
  })

  it('leave heads beyond a square kernel at random, and scale all', () => {
    const weights = (localityStrength: number) => Array.from(valueOf(initialWeights(convitRecipe({ ...tiny, dim: 30, numHeads: 5, localityStrength, localLayers: 1 }).model, 5)).get('blocks.0.attn.pos_proj.weight')!)
    expect(weights(1).slice(0, 12).map(w => w + 0)).toEqual([-1, -1, -1, -1, 1, -1, 1, -1, -1, 1, 1, -1])
    for (const weight of weights(1).slice(12)) expect(Math.abs(weight)).toBeLessThan(0.12)
    expect(weights(1).slice(12).every(weight => weight !== 0)).toBe(true)
    expect(weights(2)).toEqual(weights(1).map(weight => 2 * weight))
  })
})

describe('the options of a ConViT', () => {
  it('let dropped paths become more frequent block by block', () => {
    const masks = graphOf(convitRecipe({ ...tiny, localLayers: 2, dropPath: 0.5 }).model, 'training').nodes.filter(n => n.op === 'dropMask')
    expect(masks.map(n => (n.attributes as { readonly keep: number }).keep)).toEqual([0.75, 0.75, 0.5, 0.5])
  })

  it('let every kind of drop act in both kinds of block', () => {
    const streams = graphOf(convitRecipe({ ...tiny, depth: 2, localLayers: 1, positionDropout: 0.1, dropout: 0.1, attentionDropout: 0.1, headDropout: 0.1 }).model, 'training').nodes.flatMap(n => (n.op === 'dropMask' ? [(n.attributes as { readonly stream: string }).stream] : []))
    expect(streams).toEqual(['pos_drop', ...['blocks.0', 'blocks.1'].flatMap(block => ['attn.attn_drop', 'attn.proj_drop', 'mlp.drop1', 'mlp.drop2'].map(name => `${block}.${name}`)), 'head_drop'])
  })

  it('follow the image, where its patches are a square or their grid is given', () => {
    const at = (changes: Readonly<Record<string, unknown>>) => outcome(convitRecipes.convit_tiny.withConfig(changes).model)
    expect(at({ imageSize: 256 })).toEqual({ _tag: 'Right', right: [1000] })
    expect(problemOf(at({ imageSize: [224, 256] }))).toMatchObject({ code: 'noSquareGrid', path: 'blocks.0 › gatedPositionalAttention', remedy: 'give the grid, or let the class token join after these blocks' })
    expect(at({ imageSize: [224, 256], grid: [14, 16] })).toEqual({ _tag: 'Right', right: [1000] })
    expect(problemOf(at({ imageSize: [224, 256], grid: [16, 15] }))).toMatchObject({ code: 'gridDoesNotHold' })
  })
})

describe("timm's own configuration", () => {
  const says = (config: Readonly<Record<string, unknown>>): string => {
    const read = convitReplica(config)
    return read._tag === 'Left' ? read.left.sentence : 'read'
  }

  it("is read with timm's defaults: 768 channels a head, three local blocks", () => {
    const { features } = graphOf(valueOf(convitReplica({ num_heads: 2, depth: 4 })).model)
    expect((features.get('patch_embed') as { readonly shape: readonly number[] }).shape).toEqual([196, 1536])
    expect([...features.keys()].filter(name => name.endsWith('.rel_indices'))).toEqual(['blocks.0.attn.rel_indices', 'blocks.1.attn.rel_indices', 'blocks.2.attn.rel_indices'])
  })

  it.each([
    [{ hybrid_backbone: 'resnet26d' }, "convit: 'hybrid_backbone' is not supported; patches come from the image"],
    [{ hybrid_backbone: null }, 'read'],
    [{ global_pool: 'max' }, "convit: 'global_pool' must be one of 'token', 'avg', '', got \"max\""],
    [{ local_up_to_layer: -1 }, "convit: 'local_up_to_layer' must be 0 or more, got -1"],
    [{ window_size: 7 }, "convit: does not know 'window_size'"],
  ])('is refused where it asks for something else: %j', (config, sentence) => expect(says(config)).toBe(sentence))
})
