import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { parametersOf } from '../../src/graph/graph.js'
import { trace } from '../../src/graph/trace.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import { layerDecay, layerIndices, takesDecay } from '../../src/training/optimisers.js'
import { valueOf } from '../support/either.js'
import { recorded } from './recorded.js'

const models = Object.entries(recorded.models)

describe('weight decay', () => {
  it.each(models)('applies to the parameters of %s to which timm applies it', (_, parameters) => {
    expect(parameters.filter(([name, shape]) => takesDecay(name, shape)).map(([name]) => name)).toEqual(parameters.filter(([, , decayed]) => decayed).map(([name]) => name))
  })

  it.each(models)('is told nearly as well by the names of %s alone', (_, parameters) => {
    // Only a name that says nothing of a norm needs its shape.
    expect(parameters.filter(([name, shape]) => takesDecay(name) !== takesDecay(name, shape)).map(([name]) => name.split('.').at(-1)).filter(last => last !== 'gating_param')).toEqual([])
  })
})

describe('layer-wise rate decay', () => {
  // timm puts the last norm with the last block, and a downsampling with the block after it; the authors of BEiT, MAE
  // and SimMIM, whose rule this is, put the norm with the head and the downsampling with the block before.
  it.each(models.filter(([family]) => family !== 'coatnet'))('scales the rates of %s as timm does, but for norm and downsampling', (_, parameters) => {
    const ours = layerDecay(parameters.map(([name]) => name), 0.5)
    const alike = parameters.filter(([name]) => !/^norm\.|downsample/.test(name))
    expect(alike.map(([name]) => [name, ours.get(name)])).toEqual(alike.map(([name, , , scale]) => [name, scale]))
    expect(ours.get('norm.weight')).toBe(1)
  })

  it.each([
    ['vit_tiny_patch16_224', 12],
    ['deit_tiny_distilled_patch16_224', 12],
    ['convit_tiny', 12],
    ['vit_base_r50_s16_224', 12],
    ['swin_tiny_patch4_window7_224', 12],
    ['ms_swin_tiny_patch4_window7_224', 12],
    ['coatnet_0_224', 2 + 3 + 5 + 2],
  ] as const)('counts the layers of %s: %i blocks between embeddings and head', (id, depth) => {
    const names = parametersOf(valueOf(trace(recipes[id].model as AnyModel))).map(p => p.attributes.name)
    const indices = layerIndices(names)
    expect(indices.depth).toBe(depth)
    const of = (pattern: RegExp): readonly number[] => [...new Set(names.filter(name => pattern.test(name)).map(name => indices.of.get(name)!))]
    expect(of(/^(patch_embed|stem|cls_token|pos_embed|dist_token)/)).toEqual([0])
    expect(of(/^(norm|head)/)).toEqual([depth + 1])
    expect(of(/^(blocks|layers|stages)\./)).toEqual(Array.from({ length: depth }, (_, i) => i + 1))
  })

  it('puts a downsampling with the block before it, in both namings of Swin', () => {
    for (const id of ['swin_tiny_patch4_window7_224', 'ms_swin_tiny_patch4_window7_224'] as const) {
      const names = parametersOf(valueOf(trace(recipes[id].model as AnyModel))).map(p => p.attributes.name)
      const { of } = layerIndices(names)
      expect([...new Set(names.filter(name => name.endsWith('downsample.reduction.weight')).map(name => of.get(name)))]).toEqual([2, 4, 10])
    }
  })
})
