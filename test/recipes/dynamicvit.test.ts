import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { dynamicVit, dynamicvitRecipes, dynamicvitReplica, dynamicVitRecipe, dynamicVitTraining, keptTokens } from '../../recipes/dynamicvit.js'
import { cost, input, parametersOf, shapeOf, trace, type AnyModel, type Model, type Tensor } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const tiny = { imageSize: 16, patchSize: 4, dim: 24, depth: 4, numHeads: 4, numClasses: 5, pruneAt: [1, 3], keep: [8, 4] } as const
const graphOf = (model: unknown, mode: 'inference' | 'training' = 'inference') => valueOf(trace(model as AnyModel, { mode }))
const outcome = (model: unknown) => shapeOf(model as Model<unknown, unknown>)
const namesOf = (model: unknown): readonly string[] => parametersOf(graphOf(model)).map(p => p.attributes.name).sort()
const macsOf = (model: unknown): number => cost(graphOf(model)).macs.total

describe('a DynamicViT', () => {
  it('really goes on with fewer tokens', () => {
    const { features } = graphOf(dynamicVitRecipe(tiny).model)
    const shapes = ['blocks.0', 'score_predictor.0', 'keep_idx.0', 'blocks.1', 'blocks.2', 'score_predictor.1', 'keep_idx.1', 'blocks.3', 'norm'].map(name => (features.get(name) as Tensor).shape)
    expect(shapes).toEqual([[17, 24], [16, 2], [8], [9, 24], [9, 24], [8, 2], [4], [5, 24], [5, 24]])
    expect((features.get('keep_idx.0') as Tensor).dtype).toBe('int32')
  })

  // In one of so few tokens those that are kept longest, and the scores, count for more.
  const published = Object.keys(dynamicvitRecipes).filter(id => id !== 'dynamicvit_fashion_mnist') as (keyof typeof dynamicvitRecipes)[]
  it.each(published)('%s multiplies at most three quarters as often as its backbone', id => {
    const recipe = dynamicvitRecipes[id]
    expect(macsOf(recipe.model) / macsOf(recipe.withConfig({ pruneAt: [], keep: [] }).model)).toBeLessThan(0.75)
  })

  it('may drop before the first block, and before the last', () => {
    const { features } = graphOf(dynamicVitRecipe({ ...tiny, pruneAt: [0, 3], keep: [5, 2] }).model)
    expect(['blocks.0', 'blocks.2', 'blocks.3'].map(name => (features.get(name) as Tensor).shape[0])).toEqual([6, 6, 3])
  })

  it('keeps at each stage what is left of that share of all patches', () => {
    expect(keptTokens(196, 0.7, 3)).toEqual([137, 96, 67])
    expect(keptTokens(196, 0.5, 2)).toEqual([98, 49])
  })

  it('refuses to keep more than there are, and stages out of order', () => {
    expect(problemOf(outcome(dynamicVitRecipe({ ...tiny, keep: [8, 9] } as never).model))).toMatchObject({ code: 'cannotKeep', sentence: 'keepTokens: cannot keep 9 of 9 tokens (9×24)' })
    expect(problemOf(outcome(dynamicVitRecipe({ ...tiny, pruneAt: [3, 1] }).model))).toMatchObject({ code: 'notASize' })
    expect(problemOf(outcome(dynamicVitRecipe({ ...tiny, keep: [8] }).model))).toMatchObject({ code: 'notASize', sentence: 'keepTokens: keep must be a whole number from 1 to 10^9, got undefined' })
  })
})

describe('the training form', () => {
  const { imageSize: _, ...sizes } = tiny

  it.each(['deit', 'lvvit'] as const)('has the weights of the other on a %s, keeps every token and gives the decisions', backbone => {
    const [used, trained] = [pipe(input(16, 16, 3), dynamicVit({ ...sizes, backbone, preLogits: 0 })), pipe(input(16, 16, 3), dynamicVitTraining({ ...sizes, backbone, preLogits: 0 }))]
    expect(namesOf(trained)).toEqual(namesOf(used))
    const tokens = backbone === 'deit' ? { tokens: [16, 24] } : { aux_head: [16, 5] }
    expect(outcome(trained)).toEqual({ _tag: 'Right', right: { head: [5], ...tokens, keep_0: [16], keep_1: [16] } })
    expect((graphOf(trained, 'training').features.get('blocks.3') as Tensor).shape).toEqual([17, 24])
  })
})

describe("the authors' own configuration", () => {
  const small = { img_size: 56, patch_size: 4, embed_dim: 24, depth: 3, num_heads: 3, pruning_loc: [1], token_ratio: [0.5] }
  const says = (config: Readonly<Record<string, unknown>>): string => {
    const read = dynamicvitReplica(config)
    return read._tag === 'Left' ? read.left.sentence : 'read'
  }

  it('is of a DeiT, or of an LV-ViT where it has a word of that', () => {
    const of = (config: Readonly<Record<string, unknown>>) => graphOf(valueOf(dynamicvitReplica(config)).model).parameters.map(p => p.attributes.name)
    expect(of(small)).toContain('blocks.0.attn.qkv.bias')
    expect(of(small)).not.toContain('aux_head.weight')
    expect(of({ ...small, skip_lam: 2, return_dense: true, p_emb: 1 })).not.toContain('blocks.0.attn.qkv.bias')
    expect(of({ ...small, skip_lam: 2, return_dense: true, p_emb: 1 })).toContain('aux_head.weight')
    expect(of({ ...small, representation_size: 7 })).toContain('pre_logits.fc.weight')
  })

  it('keeps shares of all patches, and never more than are left', () => {
    const shapes = (config: object) => {
      const { features } = graphOf(valueOf(dynamicvitReplica({ ...small, ...config })).model)
      return ['keep_idx.0', 'keep_idx.1'].map(name => (features.get(name) as Tensor | undefined)?.shape[0])
    }
    expect(shapes({ pruning_loc: [1, 2], token_ratio: [0.7, 0.7 * 0.7] })).toEqual([137, 96])
    expect(shapes({ pruning_loc: [2, 1], token_ratio: [0.5, 0.9] })).toEqual([98, 98])
  })

  it.each([
    [{ pruning_loc: [1, 7], token_ratio: [0.7, 0.5] }, "dynamicvit: 'pruning_loc' must be different blocks of the 3 there are, got 1, 7"],
    [{ pruning_loc: [1, 2] }, "dynamicvit: 'token_ratio' must say how many tokens are kept at each place of 'pruning_loc'"],
    [{ hybrid_backbone: 'resnet26d' }, "dynamicvit: 'hybrid_backbone' is not supported; patches come from the image"],
    [{ p_emb: 1 }, "dynamicvit: 'return_dense' must be true: the reference always reads its second head"],
    [{ window_size: 7 }, "dynamicvit: does not know 'window_size'"],
    [{ distill: true, num_keep: [98], predictor_norm_eps: 1e-5, qk_scale: null }, 'read'],
  ])('is refused where it asks for something else: %j', (config, sentence) => expect(says({ ...small, ...config }).slice(0, sentence.length)).toBe(sentence))
})
