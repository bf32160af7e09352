import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { convit } from '../../recipes/convit.js'
import { hybrid, hybridRecipe, hybridRecipes, hybridReplica, resnetD, resnetV2, type HybridConfig, type ResnetV2Config } from '../../recipes/hybrid.js'
import { vit } from '../../recipes/vit.js'
import { fromJson, toJson } from '../../src/exporters/json/index.js'
import { conv2d, input, parametersOf, shapeOf, trace, type AnyLayer, type AnyModel, type Layer, type Model, type ShapeFunction } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const graphOf = (model: unknown) => valueOf(trace(model as AnyModel))
const outcome = (model: unknown) => shapeOf(model as Model<unknown, unknown>)
const tiny = { patchSize: 1, dim: 16, depth: 1, numHeads: 2, numClasses: 5 } as const

describe('the map of a residual network', () => {
  // The compiler is told what a stage does to a map; here its parts are asked.
  const sizes = [8, 9, 31, 32, 33, 50, 224]
  const networks: Readonly<Record<string, (config: ResnetV2Config) => AnyLayer>> = { resnetV2, 'resnetV2, symmetric': config => resnetV2({ ...config, padding: 'symmetric' }), resnetD }

  it.each(Object.entries(networks))('of %s has every fourth to every thirty-second pixel, rounded up', (_, network) => {
    for (const height of sizes)
      for (const stages of [1, 2, 3, 4]) {
        const [width, stageDims] = [height + 5, [32, 64, 96, 128].slice(0, stages)]
        const config = { stageDepths: stageDims.map((_, i) => 1 + (i % 2)), stageDims, stemDim: 32, numGroups: 8 }
        const stride = 2 ** (stages + 1)
        expect([height, stages, outcome(pipe(input(height, width, 3), network(config) as Layer<ShapeFunction>))]).toEqual([height, stages, { _tag: 'Right', right: [Math.ceil(height / stride), Math.ceil(width / stride), stageDims.at(-1)] }])
      }
  })

  it('of a stem alone has every fourth', () => {
    for (const size of sizes) expect(outcome(pipe(input(size, size + 3, 3), resnetV2({})))).toEqual({ _tag: 'Right', right: [Math.ceil(size / 4), Math.ceil((size + 3) / 4), 64] })
  })
})

describe('any backbone before any transformer', () => {
  it('has its parameters where timm keeps a backbone, and the transformer where it was', () => {
    const model = pipe(input(32, 32, 3), hybrid(conv2d({ dim: 8, kernelSize: 4, stride: 4 }), vit({ ...tiny, patchSize: 2 })))
    expect(parametersOf(graphOf(model)).map(p => p.attributes.name).filter(name => name.startsWith('patch_embed')).sort()).toEqual(['patch_embed.backbone.bias', 'patch_embed.backbone.weight', 'patch_embed.proj.bias', 'patch_embed.proj.weight'])
    expect(outcome(model)).toEqual({ _tag: 'Right', right: [5] })
  })

  it('refuses a map that does not match, where the transformer says so', () => {
    expect(problemOf(outcome(hybridRecipe({ imageSize: 224, stageDepths: [1, 1, 1, 1], ...tiny, patchSize: 2 as number }).model))).toMatchObject({ sentence: 'patchEmbed: 7×7 does not divide into 2×2 patches with stride 2×2', path: 'patch_embed.proj › patchEmbed', remedy: 'the nearest sizes that fit: 6, 8' })
    expect(outcome(pipe(input(64, 64, 3), hybrid(resnetD({ stageDepths: [1, 1], stemDim: 16 }), convit({ patchSize: 1, dim: 16, depth: 2, localLayers: 1, numHeads: 4 }))))).toEqual({ _tag: 'Right', right: [1000] })
  })

  it('refuses groups that do not fit a later stage, which the compiler does not look into', () => {
    expect(problemOf(outcome(pipe(input(64, 64, 3), resnetV2({ stageDepths: [1, 1], stageDims: [256, 72] }))))).toMatchObject({ code: 'normGroupsDoNotSplit', path: 'stages.1.blocks.0.norm1 › groupNorm' })
  })
})

describe('the published hybrids', () => {
  it('have as many blocks as their names say', () => {
    const blocks = (id: keyof typeof hybridRecipes): number => [...graphOf(hybridRecipes[id].model).features.keys()].filter(name => /backbone\.(stages\.\d\.blocks|layer\d)\.\d+$/.test(name)).length
    // Three convolutions a block, the stem's, and in the other networks' count a head.
    expect(blocks('vit_small_r26_s32_224') * 3 + 2).toBe(26)
    expect(blocks('vit_base_r50_s16_224') * 3 + 2).toBe(50)
    expect(blocks('vit_base_resnet50d_224') * 3 + 2).toBe(50)
    expect(blocks('vit_tiny_r_s16_p8_224')).toBe(0)
  })

  it.each(Object.entries(hybridRecipes).filter(([id]) => id.endsWith('224')))('%s follows the image', (_, { withConfig }) => expect(outcome(withConfig({ imageSize: [160, 96] }).model)).toEqual({ _tag: 'Right', right: [1000] }))

  it('come back from JSON as they were', () => {
    for (const id of ['vit_small_r26_s32_224', 'vit_small_resnet26d_224', 'vit_tiny_r_s16_p8_224'] as const) {
      const model = hybridRecipes[id].model as unknown as AnyModel
      const names = (m: AnyModel) => parametersOf(graphOf(m)).map(p => [p.attributes.name, ...p.shape])
      expect(names(valueOf(fromJson(JSON.parse(JSON.stringify(toJson(model))))))).toEqual(names(model))
    }
  })
})

describe("timm's own configuration", () => {
  const vitKeywords = { img_size: 64, embed_dim: 16, depth: 1, num_heads: 2, num_classes: 5 }
  const says = (config: Readonly<Record<string, unknown>>): string => {
    const read = hybridReplica({ ...vitKeywords, ...config })
    return read._tag === 'Left' ? read.left.sentence : 'read'
  }
  const names = (model: unknown): readonly unknown[] => parametersOf(graphOf(model)).map(p => [p.attributes.name, ...p.shape])
  const sameAs = (config: Readonly<Record<string, unknown>>, ours: Partial<HybridConfig>): void =>
    expect(names(valueOf(hybridReplica({ ...vitKeywords, ...config })).model)).toEqual(names(hybridRecipe({ imageSize: 64, ...tiny, ...ours }).model))

  it('is a ResNet-50 of three stages unless it says otherwise', () => sameAs({}, { stageDepths: [3, 4, 9] }))
  it('may name a network', () => {
    sameAs({ backbone: 'timm resnet50d (BatchNorm, ResNet-D stem), features of layer3' }, { backbone: 'resnetD', stageDepths: [3, 4, 6] })
    sameAs({ backbone: 'resnet26d' }, { backbone: 'resnetD', stageDepths: [2, 2, 2, 2] })
  })
  it('rounds channels to eights, but not those of a stem alone', () => {
    sameAs({ backbone: { layers: [1], channels: [36], stem_chs: 12, groupnorm_groups: 4 } }, { stageDepths: [1], stageDims: [40], stemDim: 16, numGroups: 4 })
    sameAs({ backbone: { layers: [], stem_chs: 12, groupnorm_groups: 4 } }, { stemDim: 12, numGroups: 4 })
  })

  it.each([
    [{ backbone: 'resnet18d' }, "hybrid: the backbone 'resnet18d' is not known"],
    [{ backbone: 7 }, "hybrid: 'backbone' must be a record of keywords or a name, got 7"],
    [{ backbone: { kind: 'EfficientNet' } }, "hybrid: the backbone 'EfficientNet' is not known"],
    [{ backbone: { kind: 'ResNetV2 preact=True', layers: [1] } }, "hybrid: the backbone 'ResNetV2 preact=True' is not known"],
    [{ backbone: { layers: [1], widths: [3] } }, "hybrid: backbone: does not know 'widths'"],
    [{ backbone: { layers: [1, 1, 1, 1, 1] } }, 'hybrid: a backbone has more stages than channels'],
    [{ backbone: { kind: 'timm ResNet-D', layers: [1], avg_down: false } }, "hybrid: the backbone 'timm ResNet-D' is not supported without padding or without average pooling in its shortcuts"],
    [{ window_size: 7 }, "hybrid: does not know 'window_size'"],
  ])('is refused where it asks for something else: %j', (config, sentence) => expect(says(config)).toBe(sentence))
})
