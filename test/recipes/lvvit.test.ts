import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { lvvit, lvvitRecipe, lvvitRecipes, lvvitReplica, lvvitTraining } from '../../recipes/lvvit.js'
import { input, inputs, parametersOf, shapeOf, trace, type AnyModel, type Model } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const tiny = { imageSize: 16, patchSize: 8, dim: 24, depth: 3, numHeads: 4, stemDim: 8, numClasses: 5 } as const
const graphOf = (model: unknown, mode: 'inference' | 'training' = 'inference') => valueOf(trace(model as AnyModel, { mode }))
const outcome = (model: unknown) => shapeOf(model as Model<unknown, unknown>)
const namesOf = (model: unknown): readonly string[] => parametersOf(graphOf(model)).map(p => p.attributes.name)

describe('the options of an LV-ViT', () => {
  it('choose where patches come from: a convolutional stem of any width, or the image', () => {
    const names = namesOf(lvvitRecipe(tiny).model).filter(name => name.startsWith('patch_embed'))
    expect(names.filter(name => /conv\d\.weight|proj\.weight/.test(name))).toEqual(['patch_embed.conv1.weight', 'patch_embed.conv2.weight', 'patch_embed.conv3.weight', 'patch_embed.proj.weight'])
    expect(parametersOf(graphOf(lvvitRecipe(tiny).model)).find(p => p.attributes.name === 'patch_embed.proj.weight')!.shape).toEqual([24, 8, 4, 4])
    expect(namesOf(lvvitRecipe({ ...tiny, stemDim: 0 }).model).filter(name => name.startsWith('patch_embed'))).toEqual(['patch_embed.proj.weight', 'patch_embed.proj.bias'])
  })

  it('leave out the second head, or both', () => {
    const heads = (changes: object) => namesOf(lvvitRecipe({ ...tiny, ...changes }).model).filter(name => name.includes('head'))
    expect(heads({})).toEqual(['head.weight', 'head.bias', 'aux_head.weight', 'aux_head.bias'])
    expect(heads({ tokenHead: false })).toEqual(['head.weight', 'head.bias'])
    expect(heads({ numClasses: 0 })).toEqual([])
    expect(outcome(lvvitRecipe({ ...tiny, numClasses: 0 }).model)).toEqual({ _tag: 'Right', right: [24] })
  })

  it('make blocks of attention or an MLP alone', () => {
    const names = namesOf(lvvitRecipe({ ...tiny, branchDivisor: 2, blockKinds: ['attention', 'mlp', 'both'] }).model)
    const layers = (block: number) => [...new Set(names.filter(name => name.startsWith(`blocks.${block}.`)).map(name => name.split('.')[2]))]
    expect([layers(0), layers(1), layers(2)]).toEqual([['norm1', 'attn'], ['norm2', 'mlp'], ['norm1', 'attn', 'norm2', 'mlp']])
  })

  it('let dropped paths become more frequent block by block, in blocks of every kind', () => {
    const rates = (kinds: object) => graphOf(lvvitRecipe({ ...tiny, dropPath: 0.5, ...kinds }).model, 'training').nodes.flatMap(n => (n.op === 'dropMask' ? [(n.attributes as { readonly keep: number }).keep] : []))
    expect(rates({})).toEqual([0.75, 0.75, 0.5, 0.5])
    expect(rates({ blockKinds: ['attention', 'mlp', 'attention'] })).toEqual([0.75, 0.5])
  })

  it('follow the image where patches fit', () => {
    expect(outcome(lvvitRecipes.lvvit_t.withConfig({ imageSize: [224, 256] }).model)).toEqual({ _tag: 'Right', right: [1000] })
    expect(problemOf(outcome(lvvitRecipes.lvvit_t.withConfig({ imageSize: 230 }).model))).toMatchObject({ code: 'patchesDoNotFit', path: 'patch_embed.proj › patchEmbed' })
  })
})

describe('the training form', () => {
  const { imageSize: _, ...sizes } = tiny
  const whole = pipe(input(16, 16, 3), lvvit(sizes))
  const trained = pipe(inputs({ x: input(16, 16, 3), inside: input(2, 2) }), lvvitTraining(sizes))

  it('has the weights of the other, and gives both heads and the box', () => {
    expect(namesOf(trained)).toEqual(namesOf(whole))
    expect(outcome(trained)).toEqual({ _tag: 'Right', right: { head: [5], aux_head: [4, 5], inside: [2, 2] } })
  })

  it('mixes samples in training alone', () => {
    const reversed = (mode: 'inference' | 'training') => graphOf(trained, mode).nodes.filter(n => n.op === 'batchReverse').length
    expect([reversed('training'), reversed('inference')]).toEqual([2, 0])
  })

  it('refuses a box of another size', () => {
    expect(problemOf(outcome(lvvitTraining(sizes)(inputs({ x: input(16, 16, 3), inside: input(3, 2) }) as never)))).toMatchObject({ code: 'boxDiffers', sentence: 'mixTokens: the map is 2×2, but the box is 3×2' })
  })
})

describe("the authors' own configuration", () => {
  const says = (config: Readonly<Record<string, unknown>>): string => {
    const read = lvvitReplica(config)
    return read._tag === 'Left' ? read.left.sentence : 'read'
  }

  it("is read with the authors' defaults: 768 channels, an MLP of four times as many, a stem of 64, one head", () => {
    const { parameters, features } = graphOf(valueOf(lvvitReplica({ depth: 1 })).model)
    const shape = (name: string) => parameters.find(p => p.attributes.name === name)?.shape
    expect([shape('patch_embed.conv1.weight'), shape('blocks.0.mlp.fc1.weight'), shape('blocks.0.attn.qkv.bias'), shape('aux_head.weight')]).toEqual([[64, 3, 7, 7], [3072, 768], undefined, undefined])
    expect((features.get('patch_embed') as { readonly shape: readonly number[] }).shape).toEqual([14, 14, 768])
  })

  it.each([['4_2_128', 128], ['4_2', 64], [1, 0], [null, 0], ['naive', 0]])('takes %j for a stem of %i channels', (stem, channels) => {
    const { parameters } = graphOf(valueOf(lvvitReplica({ p_emb: stem, depth: 1 })).model)
    expect(parameters.find(p => p.attributes.name === 'patch_embed.conv1.weight')?.shape[0] ?? 0).toBe(channels)
  })

  it.each([
    [{ hybrid_backbone: 'resnet26d' }, "lvvit: 'hybrid_backbone' is not supported; patches come from the image"],
    [{ hybrid_backbone: null, qk_scale: null, head_dim: null }, 'read'],
    [{ head_dim: 32 }, "lvvit: 'head_dim' is not supported; heads have 64 of 768 channels"],
    [{ head_dim: 64, qk_scale: 0.1 }, 'read'],
    [{ order: ['tr', 'conv'] }, "lvvit: 'order' may hold 'tr', 'mha', 'ffn' only"],
    [{ mix_token: true }, "lvvit: 'mix_token' needs 'return_dense'"],
    [{ skip_lam: '2' }, "lvvit: 'skip_lam' must be a number, got \"2\""],
    [{ window_size: 7 }, "lvvit: does not know 'window_size'"],
  ])('is refused where it asks for something else: %j', (config, sentence) => expect(says(config).slice(0, sentence.length)).toBe(sentence))
})
