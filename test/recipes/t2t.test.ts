import { describe, expect, it } from 'vitest'
import { t2tRecipe, t2tRecipes, t2tReplica, tokensToToken } from '../../recipes/t2t.js'
import { cost, initialWeights, input, parametersOf, positionTables, shapeOf, trace, type AnyModel } from '../../src/index.js'
import { openRecording } from '../../src/cli/parts/recording.js'
import { isOp } from '../../src/ops/tensor.js'
import { problemOf, valueOf } from '../support/either.js'

const tiny = { imageSize: 32, dim: 12, depth: 2, numHeads: 2, tokenDim: 6, numClasses: 5 } as const
const graphOf = (model: unknown, mode: 'inference' | 'training' = 'inference') => valueOf(trace(model as AnyModel, { mode }))
const outcome = (model: unknown) => shapeOf(model as never)

describe('tokens to token', () => {
  it.each([[224, [56, 28, 14]], [48, [12, 6, 3]], [[32, 64], [8, 4, 2]]] as const)('an image of %j is split three times into overlapping windows', (imageSize, rows) => {
    const { features } = graphOf(t2tRecipe({ ...tiny, imageSize }).model)
    expect(['soft_split0', 'soft_split1', 'soft_split2'].map(name => (features.get(`tokens_to_token.${name}`) as { readonly shape: readonly number[] }).shape[0])).toEqual(rows)
  })

  it('costs, with Performers, in proportion to the tokens, and otherwise to their square', () => {
    const matmul = (tokens: 'performer' | 'transformer', imageSize: number): number => cost(graphOf(tokensToToken({ ...tiny, tokens })(input(imageSize, imageSize, 3)))).macs.matmul
    expect(matmul('performer', 128) / matmul('performer', 64)).toBeLessThan(4.5)
    expect(matmul('transformer', 128) / matmul('transformer', 64)).toBeGreaterThan(12)
  })

  it('an image too small for a window is refused in words', () => {
    expect(problemOf(outcome(t2tRecipe({ ...tiny, imageSize: [2, 32] }).model))).toMatchObject({ sentence: 'unfold: a 7×7 window is larger than the padded image 2×32', path: 'tokens_to_token.soft_split0 › unfold' })
  })
})

describe('what stays as it is', () => {
  const model = t2tRecipe(tiny).model as unknown as AnyModel
  const weights = valueOf(initialWeights(model as never, 7))

  it('are the positions and the random directions', () => {
    expect(parametersOf(graphOf(model)).filter(p => p.attributes.role === 'frozen').map(p => p.attributes.name)).toEqual(['tokens_to_token.attention1.w', 'tokens_to_token.attention2.w', 'pos_embed'])
  })

  it('directions are at right angles, each as long as the root of their number', () => {
    const w = weights.get('tokens_to_token.attention1.w')!
    const row = (i: number): Float32Array => w.slice(6 * i, 6 * i + 6)
    const dot = (i: number, j: number): number => row(i).reduce((total, x, at) => total + x * row(j)[at]!, 0)
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) expect(Math.abs(dot(i, j) - (i === j ? 3 : 0))).toBeLessThan(1e-5)
  })

  it('begin as the reference makes them', async () => {
    const recording = valueOf(await openRecording('test/fixtures/recordings/t2t/t2t_performer_a.safetensors')())
    const theirs = valueOf(await recording.recorded.read('pos_embed')()).data
    const ours = valueOf(initialWeights(recording.replica.model as never, 3)).get('pos_embed')!
    ours.forEach((value, i) => expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-6))
    await recording.close()
  })

  it('positions are sines and cosines that count the class token as the first', () => {
    const table = weights.get('pos_embed')!
    expect(Array.from(table.slice(0, 12))).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    expect(table[12]).toBeCloseTo(Math.sin(1), 7)
    expect(table[12 + 3]).toBeCloseTo(Math.cos(1 / 10000 ** (2 / 12)), 7)
  })
})

it('positions are a table that can be resized, with a row before it for the class token', () => {
  expect(valueOf(positionTables(t2tRecipe({ ...tiny, imageSize: [32, 64] }).model as unknown as AnyModel)).get('pos_embed')).toEqual({ kind: 'absolute', grid: [2, 4], prefixTokens: 1, dim: 12, isTransposed: false })
})

describe('the options of a T2T-ViT', () => {
  it('let scores be scaled as the released weights want it', () => {
    const scales = (attentionScale?: number) => graphOf(t2tRecipe({ ...tiny, ...(attentionScale === undefined ? {} : { attentionScale }) }).model).nodes.flatMap(n => (isOp(n, 'attention') ? [n.attributes.scale] : []))
    expect([scales(), scales(12 ** -0.5)]).toEqual([[6 ** -0.5, 6 ** -0.5], [12 ** -0.5, 12 ** -0.5]])
  })

  it('let everything that drops act in training alone', () => {
    const streams = (mode: 'inference' | 'training') => graphOf(t2tRecipe({ ...tiny, dropout: 0.1, attentionDropout: 0.1, dropPath: 0.2 }).model, mode).nodes.flatMap(n => (isOp(n, 'dropMask') ? [n.attributes.stream] : []))
    expect(streams('inference')).toEqual([])
    expect(streams('training')).toEqual([
      ...['attention1', 'attention2'].flatMap(step => ['dp', 'mlp.3'].map(name => `tokens_to_token.${step}.${name}`)), 'pos_drop',
      ...['attn.attn_drop', 'attn.proj_drop', 'mlp.drop1', 'mlp.drop2'].map(name => `blocks.0.${name}`),
      ...['attn.attn_drop', 'attn.proj_drop', 'drop_path1', 'mlp.drop1', 'mlp.drop2', 'drop_path2'].map(name => `blocks.1.${name}`),
    ])
  })

  it('let the head be left out, and the image be of another size', () => {
    expect(outcome(t2tRecipe({ ...tiny, numClasses: 0 }).model)).toEqual({ _tag: 'Right', right: [12] })
    expect(outcome(t2tRecipes.t2t_vit_7.withConfig({ imageSize: [224, 256] }).model)).toEqual({ _tag: 'Right', right: [1000] })
  })
})

describe("the authors' own configuration", () => {
  it.each([
    [{}, 'read'],
    [{ qk_scale: null, norm_eps: 1e-5, drop_path_rate: 0.1 }, 'read'],
    [{ tokens_type: 'convolution' }, "t2t: 'tokens_type' cannot be 'convolution', which the reference names but cannot run"],
    [{ tokens_type: 'linear' }, "t2t: 'tokens_type' must be one of 'performer', 'transformer', got \"linear\""],
    [{ patch_size: 16 }, "t2t: does not know 'patch_size'"],
  ])('%j is %s', (config, sentence) => {
    const read = t2tReplica(config)
    expect(read._tag === 'Left' ? read.left.sentence : 'read').toBe(sentence)
  })

  it("has the class's defaults: 12 blocks of 768 channels, four times as many in the middle", () => {
    const { parameters } = graphOf(valueOf(t2tReplica({})).model)
    expect(parameters.find(p => p.attributes.name === 'blocks.11.mlp.fc1.weight')!.shape).toEqual([3072, 768])
  })
})
