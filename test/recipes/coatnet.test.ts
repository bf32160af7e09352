import { describe, expect, it } from 'vitest'
import { coatnetRecipe, coatnetRecipes, coatnetReplica } from '../../recipes/coatnet.js'
import { fromJson, print, shapeOf, toJson, trace, type AnyModel, type Model } from '../../src/index.js'
import { valueOf } from '../support/either.js'

const outcome = (model: unknown) => shapeOf(model as Model<unknown, unknown>)
const tiny = { imageSize: 64, dims: [8, 16, 24, 32], depths: [1, 2, 2, 1], stemDims: 8, headDim: 8 } as const

describe('the options of a CoAtNet', () => {
  it('say what stages are made of, block by block', () => {
    const { model } = coatnetRecipe({ ...tiny, depths: [1, 3, 2, 1], blocks: ['conv', ['conv', 'attention'], 'attention', ['conv']], numClasses: 3 })
    const layers = valueOf(trace(model as unknown as AnyModel)).features
    const has = (path: string): boolean => layers.has(path)
    expect(['stages.1.blocks.0', 'stages.1.blocks.1', 'stages.1.blocks.2', 'stages.2.blocks.1', 'stages.3.blocks.0'].map(block => has(`${block}.attn`))).toEqual([false, true, true, true, false])
  })

  it('let dropped paths become more frequent block by block', () => {
    const { model } = coatnetRecipe({ ...tiny, dropPath: 0.5 })
    const masks = valueOf(trace(model as unknown as AnyModel, { mode: 'training' })).nodes.filter(n => n.op === 'dropMask')
    // One for each inverted bottleneck but the very first block, two for each transformer block.
    expect(masks.map(n => Number((n.attributes as { readonly keep: number }).keep.toFixed(6)))).toEqual([0.9, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.5])
  })

  it('survive being written as JSON, stages of one block too', () => {
    const model = coatnetRecipe({ ...tiny, positions: 'mlp', pool: 'averageAndMax' }).model as unknown as AnyModel
    const read = valueOf(fromJson(JSON.parse(JSON.stringify(toJson(model)))))
    expect(print([valueOf(trace(read)).output])).toBe(print([valueOf(trace(model)).output]))
  })

  it('come from files too', () => {
    expect(outcome(coatnetRecipes.coatnet_0_224.withConfig({ imageSize: [64, 96], depths: [1, 1, 1, 1], numClasses: 5 }).model)).toEqual({ _tag: 'Right', right: [5] })
  })
})

describe("timm's own configuration", () => {
  const says = (config: Readonly<Record<string, unknown>>): string => {
    const read = coatnetReplica(config)
    return read._tag === 'Left' ? read.left.sentence : 'read'
  }

  it('is read with timm’s defaults', () => {
    const { model } = valueOf(coatnetReplica({ head_hidden_size: 768 }))
    expect(valueOf(trace(model)).nodes.length).toBe(valueOf(trace(coatnetRecipes.coatnet_0_224.model as unknown as AnyModel)).nodes.length)
  })

  it('is read in one piece or with prefixes', () => {
    expect(says({ img_size: 64, conv_cfg: { act_layer: 'silu', attn_layer: null }, transformer_cfg: { dim_head: 8, init_values: null } })).toBe('read')
    expect(says({ img_size: 64, conv_act_layer: 'silu', transformer_dim_head: 8, transformer_rel_pos_type: null })).toBe('read')
  })

  it.each([
    [{ conv_cfg: { act_lyer: 'silu' } }, "coatnet: does not know 'conv_cfg.act_lyer'"],
    [{ conv_cfg: { act_layer: 'mish' } }, "coatnet: 'conv_cfg.act_layer' must be one of 'gelu', 'gelu_tanh', 'quick_gelu', 'relu', 'silu', 'swish', 'tanh', got \"mish\""],
    [{ conv_cfg: { block_type: 'convnext' } }, "coatnet: 'conv_cfg.block_type' must be mbconv; ConvNeXt blocks are another architecture (CoAtNeXt)"],
    [{ block_type: ['C', 'C', 'M', 'M'] }, "coatnet: 'block_type' must be made of C and T, got \"M\""],
    [{ depths: [2, 2] }, "coatnet: 'embed_dim', 'depths' and 'block_type' must be of one length, got 4, 2 and 4"],
    [{ global_pool: '' }, "coatnet: with 'global_pool' '' and no hidden head layer, the reference applies its classifier to the width axis"],
    [{ global_pool: 'catavgmax', head_hidden_size: 8 }, "coatnet: 'global_pool' catavgmax does not go with a hidden head layer"],
  ])('is refused where it asks for something else: %j', (config, sentence) => expect(says(config)).toBe(sentence))
})
