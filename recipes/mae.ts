import { right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, encoderBlock, fanOut, field, flattenTokens, hideTokens, layerNorm, linear, losses, maskTokens, named, ops, parallel, patchEmbed, positionEmbed, repeat,
  serial, skipTokens, unmaskTokens, unnamed,
  type Graph, type Multiply, type Problem, type Tensor,
} from '../src/index.js'
import type { ShapeFunctionOf } from '../src/layers/core/layer.js'
import { model, type Model } from '../src/layers/core/model.js'
import { pairOf, type HeightOf, type PatchCount, type WidthOf } from '../src/shape/patches.js'
import type { Apply } from '../src/shape/shapeFunction.js'
import { fashionMnistPreprocessing, imagenetPreprocessing, onFashionMnist, option, type Computed, type Field, type ImageInput, type ImageOf, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inertAll, keyword, readKeywords, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { vitKeywords } from './kit/vitKeywords.js'
import { vitRecipe, type VitConfig } from './vit.js'

/*
 * MAE: "Masked Autoencoders Are Scalable Vision Learners" (He et al., 2021, arXiv 2111.06377): a ViT that sees a quarter
 * of the patches, and a small decoder that says what the others were. What is seen is told by noise that is an input.
 * The `mae_ft_…` are the ViTs that such an encoder is fine-tuned as. Names and sizes are facebookresearch/mae's.
 */

/** The options of a masked autoencoder. */
export interface MaeConfig extends ImageInput {
  readonly patchSize: number
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  /** Channels, blocks and heads of the decoder (default 512, 8 and 16). */
  readonly decoderDim?: number
  readonly decoderDepth?: number
  readonly decoderNumHeads?: number
  readonly mlpRatio?: number
  /** The share of the patches that the encoder does not see (default 0.75). */
  readonly maskRatio?: number
  /** Whether the loss is on patches each brought to mean 0 and variance 1 (default false). */
  readonly normalisePixels?: boolean
  readonly epsilon?: number
}

/** What each option may be, for configurations that come from files. */
export const maeOptions: { readonly [K in keyof Required<MaeConfig>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'number', dim: 'number', depth: 'number', numHeads: 'number', decoderDim: 'number', decoderDepth: 'number',
  decoderNumHeads: 'number', mlpRatio: 'number', maskRatio: 'number', normalisePixels: 'boolean', epsilon: 'number',
}

const gridOf = ({ imageSize, patchSize }: MaeConfig): readonly [number, number] => {
  const [height, width] = pairOf(imageSize)
  return [Math.floor(height / patchSize), Math.floor(width / patchSize)]
}

const blocks = <const H extends number>(depth: number, numHeads: H, { mlpRatio = 4, epsilon = 1e-6 }: MaeConfig) => repeat(depth, encoderBlock({ numHeads, mlpRatio, epsilon }))

/** Patches with their positions, after a class token. `[height, width, channels] → [1 + patches, dim]`. */
export const maeEmbedding = <const C extends MaeConfig>(config: C) =>
  serial(
    named('patch_embed', serial(named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] })), flattenTokens())),
    classToken(),
    positionEmbed({ kind: 'sinCos2d', grid: gridOf(config), stored: 'pos_embed' }),
  )

/** The pixels of every patch, from the tokens that were seen. `{ x: [1 + seen, dim], ids_restore: [patches] } → [patches, patchSize² · channels]`. */
export const maeDecoder = <const C extends MaeConfig>(config: C) =>
  serial(
    parallel({ x: unnamed(named('decoder_embed', linear(option(config, 'decoderDim', 512)))) }),
    unmaskTokens({ prefixTokens: 1 }),
    positionEmbed({ kind: 'sinCos2d', grid: gridOf(config), stored: 'decoder_pos_embed' }),
    named('decoder_blocks', blocks(config.decoderDepth ?? 8, option(config, 'decoderNumHeads', 16), config)),
    named('decoder_norm', layerNorm({ epsilon: config.epsilon ?? 1e-6 })),
    named('decoder_pred', linear((config.patchSize ** 2 * (config.channels ?? 3)) as PatchPixels<C>)),
    skipTokens(1),
  )
type PatchPixels<C extends Pick<MaeConfig, 'patchSize' | 'channels'>> = Multiply<Multiply<C['patchSize'], C['patchSize']>, Field<C, 'channels', 3> & number>

/**
 * A masked autoencoder as a layer over an image and a number of noise for each of its patches, of which those with the
 * least are seen. `{ x: [height, width, channels], noise: [patches] } → { pred: [patches, patchSize² · channels],
 * latent: [1 + seen, dim], mask: [patches], ids_restore: integers [patches] }`: the pixels of every patch by row, column
 * and channel; the class token and the patches that were seen, encoded; 1 for each patch that was not seen; where each
 * patch stands among those seen and then those not.
 *
 * Errors: those of `patchEmbed`, `attention` and `maskTokens`.
 *
 * @example
 * pipe(inputs({ x: input(32, 32, 3), noise: input(64) }), mae({ imageSize: 32, patchSize: 4, dim: 32, depth: 2, numHeads: 4, decoderDim: 16, decoderNumHeads: 2 })) // Model<{ x: [32, 32, 3], noise: [64] }, { pred: [64, 48], latent: [17, 32], mask: [64], ids_restore: Integers<[64]> }>
 */
export const mae = <const C extends MaeConfig>(config: C) =>
  serial(
    parallel({ x: unnamed(maeEmbedding(config)) }),
    maskTokens({ maskRatio: option(config, 'maskRatio', 0.75), prefixTokens: 1 }),
    parallel({ x: unnamed(serial(blocks(config.depth, config.numHeads as C['numHeads'], config), named('norm', layerNorm({ epsilon: config.epsilon ?? 1e-6 })))) }),
    fanOut({ pred: unnamed(maeDecoder(config)), latent: unnamed(field('x')), mask: unnamed(field('mask')), ids_restore: unnamed(field('ids_restore')) }),
  )

/** What a masked autoencoder is fed. */
export interface MaeInput<C extends MaeConfig> {
  readonly x: ImageOf<C>
  readonly noise: readonly [Multiply<Patches<HeightOf<C['imageSize']>, C['patchSize']>, Patches<WidthOf<C['imageSize']>, C['patchSize']>>]
}
type Patches<A extends number, P extends number> = PatchCount<A, P, P> extends infer N extends number ? N : number

/** The model of a masked autoencoder. */
export type MaeModel<C extends MaeConfig> = Model<MaeInput<C>, Apply<ShapeFunctionOf<ReturnType<typeof mae<C>>>, MaeInput<C>>>

const maeModel = <const C extends MaeConfig>(config: C): MaeModel<C> => {
  const [height, width] = pairOf(config.imageSize)
  const [rows, columns] = gridOf(config)
  const image = { shape: [height, width, config.channels ?? 3], dtype: 'float32' } as const
  return model({ fields: { x: image, noise: { shape: [rows * columns], dtype: 'float32' } } }, [mae(config)])
}

/**
 * The loss of a masked autoencoder, from its graph (section 3): the mean square error of the pixels of those patches that
 * were not seen, over all samples. One number that all samples share.
 *
 * @example
 * maeLoss(trace(maeRecipes.mae_vit_base_patch16.model).right, { patchSize: 16 }).shape // []
 */
export const maeLoss = ({ inputs, output }: Pick<Graph, 'inputs' | 'output'>, { patchSize, normalisePixels = false }: Pick<MaeConfig, 'patchSize' | 'normalisePixels'>): Tensor => {
  const { pred, mask } = output as unknown as Readonly<Record<'pred' | 'mask', Tensor>>
  return losses.maskedMeanSquared(pred, losses.patchify((inputs as unknown as Readonly<Record<'x', Tensor>>).x, patchSize), mask, { normalisePixels })
}

/** The options of {@link maskedPatchPrediction}. */
export interface MaskedVitConfig {
  readonly patchSize: number
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  readonly channels?: number
  readonly mlpRatio?: number
  /** The share of the patches that are hidden (default 0.5). */
  readonly hiddenShare?: number
}

/**
 * A ViT that learns to say what was behind half of its patches, which a learned token replaces in training: ViT's own
 * self-supervision (Dosovitskiy et al., 2020, appendix B.1.2), in its form with the square error of all pixels. All
 * but `hide` and `patch_head` is a ViT's and bears its names. `[height, width, channels] → [patches, patchSize² · channels]`.
 *
 * @example
 * pipe(input(32, 32, 3), maskedPatchPrediction({ patchSize: 4, dim: 32, depth: 2, numHeads: 4 })) // Model<[32, 32, 3], [64, 48]>
 */
export const maskedPatchPrediction = <const C extends MaskedVitConfig>(config: C) =>
  serial(
    named('patch_embed', serial(named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] })), flattenTokens())),
    hideTokens(config.hiddenShare ?? 0.5),
    classToken(),
    positionEmbed(),
    repeat(config.depth as C['depth'], encoderBlock({ numHeads: config.numHeads as C['numHeads'], mlpRatio: config.mlpRatio ?? 4 })),
    named('norm', layerNorm()),
    skipTokens(1),
    named('patch_head', linear((config.patchSize ** 2 * (config.channels ?? 3)) as PatchPixels<C>)),
  )

/**
 * The loss of {@link maskedPatchPrediction}, from its graph in training: the mean square error of the pixels of the
 * patches that were hidden. One number that all samples share.
 *
 * @example
 * maskedPatchLoss(trace(pipe(input(8, 8, 3), maskedPatchPrediction({ patchSize: 4, dim: 32, depth: 1, numHeads: 4 })), { mode: 'training' }).right, 4).shape // []
 */
export const maskedPatchLoss = ({ inputs, output, features }: Pick<Graph, 'inputs' | 'output' | 'features'>, patchSize: number): Tensor => {
  const [predicted, hidden] = [output as Tensor, features.get('hide.mask') as Tensor]
  return losses.maskedMeanSquared(predicted, losses.patchify(inputs as Tensor, patchSize), ops.reshape(hidden, predicted.shape.slice(0, 1)))
}

/** The loss, and the first patches of the image, as recordings hold them. */
const computedBy = (config: MaeConfig): Computed => graph => {
  const patches = losses.patchify((graph.inputs as unknown as Readonly<Record<'x', Tensor>>).x, config.patchSize)
  return { loss: maeLoss(graph, config), patchify: ops.slice(patches, [0, 0], [Math.min(4, patches.shape[0]!), patches.shape[1]!]) }
}

const source = 'He et al., 2021, arXiv 2111.06377; sizes and names as facebookresearch/mae'

/** A masked autoencoder of given sizes as a recipe. */
export const maeRecipe = <const C extends MaeConfig>(config: C, preprocessing: Preprocessing = imagenetPreprocessing): Recipe<MaeModel<C>> => ({
  family: 'mae',
  source,
  config: { ...config },
  options: maeOptions,
  model: maeModel(config),
  preprocessing,
  computed: computedBy(config),
  withConfig: changes => maeRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

/** The form that is fine-tuned: the mean of the patch tokens, normalised after pooling. */
const fineTuned = <const C extends VitConfig & ImageInput>(config: C, preprocessing: Preprocessing = imagenetPreprocessing) => {
  const asVit = vitRecipe<C & { readonly pool: 'average' }>({ ...config, pool: 'average' }, preprocessing)
  return { ...asVit, family: 'mae', source, withConfig: (changes: Readonly<Record<string, unknown>>): Recipe => fineTuned({ ...config, ...changes }, preprocessing) as unknown as Recipe }
}

/** The published masked autoencoders, and the classifiers made of them. */
export const maeRecipes = {
  mae_vit_base_patch16: maeRecipe({ imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 12 }),
  mae_vit_large_patch16: maeRecipe({ imageSize: 224, patchSize: 16, dim: 1024, depth: 24, numHeads: 16 }),
  mae_vit_huge_patch14: maeRecipe({ imageSize: 224, patchSize: 14, dim: 1280, depth: 32, numHeads: 16 }),
  mae_ft_vit_base_patch16: fineTuned({ imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 12 }),
  mae_ft_vit_large_patch16: fineTuned({ imageSize: 224, patchSize: 16, dim: 1024, depth: 24, numHeads: 16 }),
  mae_ft_vit_huge_patch14: fineTuned({ imageSize: 224, patchSize: 14, dim: 1280, depth: 32, numHeads: 16 }),
  /** Our own, with weights trained on Fashion-MNIST: without labels, and then with them. */
  mae_vit_fashion_mnist: maeRecipe({ ...onFashionMnist, decoderDim: 32, decoderDepth: 1, decoderNumHeads: 2 }, fashionMnistPreprocessing),
  mae_ft_vit_fashion_mnist: fineTuned({ ...onFashionMnist, numClasses: 10 }, fashionMnistPreprocessing),
} as const

const { img_size, in_chans, num_classes, embed_dim, depth, num_heads, mlp_ratio, qkv_bias, norm_eps } = vitKeywords

/** The keywords that `MaskedAutoencoderViT` and the `VisionTransformer` of its fine-tuning share. */
const shared: Readonly<Record<string, Keyword>> = {
  patch_size: keyword('number', (patchSize: number) => ({ patchSize })),
  in_chans, embed_dim, depth, num_heads, mlp_ratio, norm_eps,
  ...inertAll('string', ['class', 'class_', 'pos_embed', 'norm_layer', 'note']),
}

const pretraining: Readonly<Record<string, Keyword>> = {
  ...shared,
  img_size: keyword('number', (imageSize: number) => ({ imageSize })),
  decoder_embed_dim: keyword('number', (decoderDim: number) => ({ decoderDim })),
  decoder_depth: keyword('number', (decoderDepth: number) => ({ decoderDepth })),
  decoder_num_heads: keyword('number', (decoderNumHeads: number) => ({ decoderNumHeads })),
  norm_pix_loss: keyword('boolean', (normalisePixels: boolean) => ({ normalisePixels })),
  mask_ratio: keyword('number', (maskRatio: number) => ({ maskRatio })),
}

const fineTuning: Readonly<Record<string, Keyword>> = {
  ...shared,
  img_size, num_classes, qkv_bias,
  global_pool: keyword('boolean', (isMean: boolean) => ({ pool: isMean ? 'average' : 'token' })),
  ...inertAll('number', ['drop_rate', 'attn_drop_rate', 'drop_path_rate']),
}

/** What the references take where a keyword is absent. */
const absent = { imageSize: 224, patchSize: 16, dim: 1024, depth: 24, numHeads: 16 } as const
const absentFromVit = { imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 12, pool: 'token', qkvBias: false } as const

/** The model a reference recording of system `mae` was made by: the classifier where it says how it pools. */
export const maeReplica = (config: RawConfig): Either<Problem, Replica> => {
  if (Object.hasOwn(config, 'global_pool')) {
    const read = readKeywords('mae', config, fineTuning, [])
    if (read._tag === 'Left') return read
    const { model, preprocessing } = vitRecipe({ ...absentFromVit, ...(read.right as Partial<VitConfig & ImageInput>) }, imagenetPreprocessing)
    return right({ model: model as unknown as Replica['model'], outputs: {}, preprocessing })
  }
  const read = readKeywords('mae', config, pretraining, [])
  if (read._tag === 'Left') return read
  const options: MaeConfig = { ...absent, ...(read.right as Partial<MaeConfig>) }
  return right({ model: maeRecipe(options).model as unknown as Replica['model'], outputs: {}, computed: computedBy(options), preprocessing: imagenetPreprocessing })
}
