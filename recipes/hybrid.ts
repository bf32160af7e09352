import { right, type Either } from 'fp-ts/lib/Either.js'
import { named, serial, when, type Problem } from '../src/index.js'
import type { AnyLayer } from '../src/layers/core/layer.js'
import { is } from './kit/conditions.js'
import { fashionMnistPreprocessing, imageModel, imagenetPreprocessing, inceptionPreprocessing, onFashionMnist, option, type ImageInput, type ImageModel, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inert, keyword, readKeywords, unsupported, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { resnetD, resnetV2, roundedChannels, type ResnetV2Config } from './kit/resnet.js'
import { timmKeywords, vit, vitOptions, type VitConfig } from './vit.js'

export { resnetD, resnetV2, type ResnetConfig, type ResnetV2Config } from './kit/resnet.js'

/*
 * Hybrids: a transformer that reads the feature map of a convolutional network in place of an image
 * (Dosovitskiy et al., 2020, arXiv 2010.11929, section 3.1; sizes of Steiner et al., 2021, "How to train your
 * ViT", arXiv 2106.10270, table 2). Names and sizes are timm's.
 */

/**
 * Any convolutional backbone before any transformer over images, whose patches are then patches of the feature
 * map. `[height, width, channels] → [...]` of the transformer. The backbone's parameters are under
 * `patch_embed.backbone`, as timm names them.
 *
 * Errors: those of both; where the map does not match, those of the transformer's `patchEmbed`.
 *
 * @example
 * pipe(input(224, 224, 3), hybrid(resnetV2({ stageDepths: [3, 4, 9] }), vit({ patchSize: 1, dim: 768, depth: 12, numHeads: 12 }))) // Model<[224, 224, 3], [1000]>
 */
export const hybrid = <B extends AnyLayer, T extends AnyLayer>(backbone: B, transformer: T) => serial(named('patch_embed.backbone', backbone), transformer)

/** The options of a hybrid ViT: those of the ViT, whose patches are of the feature map, and those of its ResNet. */
export interface HybridConfig extends VitConfig, ResnetV2Config {
  /** Default `resnetV2`; of the ResNet's options, `resnetD` reads `stageDepths`, `stageDims` and `stemDim`. */
  readonly backbone?: 'resnetV2' | 'resnetD'
}

/** What each option may be, for configurations that come from files. */
export const hybridOptions: { readonly [K in keyof Required<HybridConfig & ImageInput>]: Kind } = {
  ...vitOptions,
  backbone: ['resnetV2', 'resnetD'] satisfies readonly HybridConfig['backbone'][],
  stageDepths: 'numbers', stageDims: 'numbers', stemDim: 'number', stem: ['simple', 'deep', 'tiered'] satisfies readonly HybridConfig['stem'][],
  padding: ['same', 'symmetric'] satisfies readonly HybridConfig['padding'][], poolPadding: ['same', 'symmetric'] satisfies readonly HybridConfig['poolPadding'][],
  numGroups: 'number', normEpsilon: 'number', convEpsilon: 'number', bottleneckRatio: 'number',
}

/**
 * A ViT on a ResNet as a layer over images. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), hybridVit({ stageDepths: [2, 2, 2, 2], patchSize: 1, dim: 384, depth: 12, numHeads: 6 })) // Model<[224, 224, 3], [1000]>
 */
export const hybridVit = <const C extends HybridConfig>(config: C) => {
  const backbone = option(config, 'backbone', 'resnetV2')
  return hybrid(serial(when(is(backbone, 'resnetV2'), resnetV2(config)), when(is(backbone, 'resnetD'), resnetD(config))), vit(config))
}

/** A hybrid ViT of given sizes as a recipe. */
export const hybridRecipe = <const C extends HybridConfig & ImageInput>(config: C, preprocessing: Preprocessing = inceptionPreprocessing): Recipe<ImageModel<C, ReturnType<typeof hybridVit<C>>>> => ({
  family: 'hybrid',
  source: 'Dosovitskiy et al., 2020, arXiv 2010.11929, and Steiner et al., 2021, arXiv 2106.10270; sizes and names as timm',
  config: { ...config },
  options: hybridOptions,
  model: imageModel(config, () => hybridVit(config)),
  preprocessing,
  withConfig: changes => hybridRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

const tiny = { patchSize: 8, dim: 192, depth: 12, numHeads: 3 } as const
const small = { patchSize: 1, dim: 384, depth: 12, numHeads: 6 } as const
const base = { patchSize: 1, dim: 768, depth: 12, numHeads: 12 } as const
const large = { patchSize: 1, dim: 1024, depth: 24, numHeads: 16 } as const
/** timm's own small ViT, shallower and wider than DeiT's. */
const shallow = { patchSize: 1, dim: 768, depth: 8, numHeads: 8, mlpRatio: 3 } as const
const r26 = { stageDepths: [2, 2, 2, 2] } as const
/** ResNet-50 to its third stage, which has the blocks of the fourth too. */
const r50 = { stageDepths: [3, 4, 9] } as const
const r50s32 = { stageDepths: [3, 4, 6, 3] } as const
const resnet26d = { backbone: 'resnetD', stageDepths: [2, 2, 2, 2] } as const
const resnet50d = { backbone: 'resnetD', stageDepths: [3, 4, 6, 3] } as const
const fineTuned: Preprocessing = { ...inceptionPreprocessing, crop: 1 }

/** The published hybrids. */
export const hybridRecipes = {
  vit_tiny_r_s16_p8_224: hybridRecipe({ imageSize: 224, ...tiny }),
  vit_tiny_r_s16_p8_384: hybridRecipe({ imageSize: 384, ...tiny }, fineTuned),
  vit_small_r26_s32_224: hybridRecipe({ imageSize: 224, ...r26, ...small }),
  vit_small_r26_s32_384: hybridRecipe({ imageSize: 384, ...r26, ...small }, fineTuned),
  vit_base_r26_s32_224: hybridRecipe({ imageSize: 224, ...r26, ...base }),
  vit_base_r50_s16_224: hybridRecipe({ imageSize: 224, ...r50, ...base }),
  vit_base_r50_s16_384: hybridRecipe({ imageSize: 384, ...r50, ...base }, fineTuned),
  vit_large_r50_s32_224: hybridRecipe({ imageSize: 224, ...r50s32, ...large }),
  vit_large_r50_s32_384: hybridRecipe({ imageSize: 384, ...r50s32, ...large }, fineTuned),
  vit_small_resnet26d_224: hybridRecipe({ imageSize: 224, ...resnet26d, ...shallow }, imagenetPreprocessing),
  vit_small_resnet50d_s16_224: hybridRecipe({ imageSize: 224, ...resnet50d, stageDepths: [3, 4, 6], ...shallow }, imagenetPreprocessing),
  vit_base_resnet26d_224: hybridRecipe({ imageSize: 224, ...resnet26d, ...base }, imagenetPreprocessing),
  vit_base_resnet50d_224: hybridRecipe({ imageSize: 224, ...resnet50d, ...base }, imagenetPreprocessing),
  /** Our own, with weights trained on Fashion-MNIST. */
  hybrid_fashion_mnist: hybridRecipe({ ...onFashionMnist, patchSize: 1, depth: 4, stageDepths: [1, 1], stageDims: [32, 64], stemDim: 16, stem: 'simple', numGroups: 8, numClasses: 10 }, fashionMnistPreprocessing),
} as const

/** The keywords of timm's `ResNetV2`, and what recordings call those of its parts. */
const v2Keywords: Readonly<Record<string, Keyword>> = {
  kind: inert('string'),
  layers: keyword('numbers', (stageDepths: readonly number[]) => ({ stageDepths })),
  channels: keyword('numbers', (stageDims: readonly number[]) => ({ stageDims })),
  stem_chs: keyword('number', (stemDim: number) => ({ stemDim })),
  stem_type: keyword(['', 'same', 'deep', 'deep_same', 'tiered'], (name: string) => ({ stem: /deep|tiered/.exec(name)?.[0] ?? 'simple', poolPadding: name.includes('same') ? 'same' : 'symmetric' })),
  // timm: every word but 'same' and 'valid' means PyTorch's symmetric padding.
  padding: keyword('string', (name: string) => ({ padding: name.toLowerCase() === 'same' ? 'same' : 'symmetric' })),
  padding_same: keyword('boolean', (same: boolean) => ({ padding: same ? 'same' : 'symmetric' })),
  groupnorm_groups: keyword('number', (numGroups: number) => ({ numGroups })),
  groupnorm_eps: keyword('number', (normEpsilon: number) => ({ normEpsilon })),
  std_conv_eps: keyword('number', (convEpsilon: number) => ({ convEpsilon })),
  bottle_ratio: keyword('number', (bottleneckRatio: number) => ({ bottleneckRatio })),
}

/** The keywords of timm's `ResNet`, where channels are those inside a block, a quarter of its own. */
const dKeywords: Readonly<Record<string, Keyword>> = {
  kind: inert('string'),
  layers: v2Keywords['layers']!,
  channels: keyword('numbers', (planes: readonly number[]) => ({ stageDims: planes.map(dim => 4 * dim) })),
  stem_width: keyword('number', (width: number) => ({ stemDim: 2 * width })),
  stem_type: inert(['deep']),
  avg_down: keyword('boolean', (averages: boolean) => (averages ? {} : { refused: true })),
}

const resnets: Readonly<Record<string, readonly number[]>> = { 26: [2, 2, 2, 2], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3] }
const refusal = (sentence: string): Either<Problem, never> => unsupported('hybrid', sentence)

/** A backbone's description: keywords, or words such as `timm resnet26d (…), features of layer4`. */
const readBackbone = (backbone: unknown): Either<Problem, object> => {
  if (typeof backbone === 'string') {
    const [, name = '', stages = '4'] = /resnet(\d+)d\b(?:.*layer([1-4]))?/.exec(backbone) ?? []
    const stageDepths = resnets[name]
    return stageDepths === undefined ? refusal(`the backbone '${backbone}' is not known`) : right({ backbone: 'resnetD', stageDepths: stageDepths.slice(0, Number(stages)) })
  }
  if (typeof backbone !== 'object' || backbone === null || Array.isArray(backbone)) return refusal(`'backbone' must be a record of keywords or a name, got ${JSON.stringify(backbone)}`)
  const { layers = [], ...config } = backbone as RawConfig
  const kind = String(config['kind'] ?? 'ResNetV2')
  const isD = /resnet-?\d*d\b/i.test(kind)
  if (!isD && (!/resnetv2/i.test(kind) || /preact=true/i.test(kind))) return refusal(`the backbone '${kind}' is not known`)
  // A stem alone has no stages, which 'numbers' would not let pass.
  const isStem = Array.isArray(layers) && layers.length === 0
  const read = readKeywords('hybrid: backbone', isStem ? config : { ...config, layers }, isD ? dKeywords : v2Keywords, [])
  if (read._tag === 'Left') return read
  const options = read.right as ResnetV2Config & { readonly refused?: boolean }
  if (options.refused === true || String(config['padding']).toLowerCase() === 'valid') return refusal(`the backbone '${kind}' is not supported without padding or without average pooling in its shortcuts`)
  if ((options.stageDepths?.length ?? 0) > (options.stageDims?.length ?? 4)) return refusal('a backbone has more stages than channels')
  if (isD) return right({ ...options, backbone: 'resnetD' })
  // ResNetV2 rounds its channels, its stem by itself does not.
  return right(isStem ? options : { ...options, stageDims: (options.stageDims ?? [256, 512, 1024, 2048]).map(roundedChannels), stemDim: roundedChannels(options.stemDim ?? 64) })
}

/** The model a reference recording of system `hybrid` was made by. */
export const hybridReplica = (config: RawConfig): Either<Problem, Replica> => {
  const { backbone, ...others } = config
  const network = readBackbone(backbone ?? { layers: [3, 4, 9] })
  if (network._tag === 'Left') return network
  const read = readKeywords('hybrid', others, { ...timmKeywords, grid: inert('pair') }, ['img_size', 'embed_dim', 'depth', 'num_heads'])
  if (read._tag === 'Left') return read
  const { model, preprocessing } = hybridRecipe({ patchSize: 1, ...read.right, ...network.right } as HybridConfig & ImageInput)
  return right({ model: model as unknown as Replica['model'], outputs: { tokens: 'norm' }, preprocessing })
}
