import { left, right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, embedding, fanOut, flattenTokens, gelu, identity, layerNorm, linear, losses, named, ops, patchEmbed, positionEmbed, problem, projection,
  repeat, residual, selfAttention, serial, takeLargestToken, takeToken, unnamed,
  type Graph, type Integers, type Problem, type Tensor,
} from '../src/index.js'
import type { ShapeFunctionOf } from '../src/layers/core/layer.js'
import { model, type Model } from '../src/layers/core/model.js'
import { pairOf } from '../src/shape/patches.js'
import type { Apply } from '../src/shape/shapeFunction.js'
import { dualEncoder } from './kit/dualEncoder.js'
import { option, type Computed, type Field, type ImageInput, type ImageOf, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inert, keyword, readKeywords, unsupported, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'

/*
 * CLIP: "Learning Transferable Visual Models From Natural Language Supervision" (Radford et al., 2021, arXiv 2103.00020):
 * a ViT and a transformer that reads text from the front, each ending in features of the same size; an image and a text
 * are alike where the cosine of their features is large. Names and sizes are openai/CLIP's.
 */

/** The options of the image tower. */
export interface ClipImageConfig {
  readonly patchSize: number
  /** Features of an image and of a text. */
  readonly embedDim: number
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  readonly epsilon?: number
}

/** The options of the text tower. */
export interface ClipTextConfig {
  readonly embedDim: number
  readonly textDim: number
  readonly textDepth: number
  readonly textNumHeads: number
  /** How many different tokens there are (default 49408). The largest marks the end of a text. */
  readonly vocabularySize?: number
  readonly epsilon?: number
}

/** The options of both towers. */
export interface ClipConfig extends ImageInput, ClipImageConfig, ClipTextConfig {
  /** Tokens of a text, filled up with zeros (default 77). */
  readonly contextLength?: number
}

/** What each option may be, for configurations that come from files. */
export const clipOptions: { readonly [K in keyof Required<ClipConfig>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'number', embedDim: 'number', dim: 'number', depth: 'number', numHeads: 'number',
  textDim: 'number', textDepth: 'number', textNumHeads: 'number', vocabularySize: 'number', contextLength: 'number', epsilon: 'number',
}

/** One block; the activation is a sigmoid's GELU. `causal`: a token sees only those before it. */
const block = <const D extends number, const H extends number>(dim: D, numHeads: H, epsilon: number, causal: boolean) =>
  serial(
    residual(serial(named('ln_1', layerNorm({ epsilon })), named('attn', selfAttention({ numHeads, causal, naming: 'torch' })))),
    residual(serial(named('ln_2', layerNorm({ epsilon })), named('mlp', serial(named('c_fc', linear(4 * dim)), named('gelu', gelu({ form: 'quick' })), named('c_proj', linear(dim)))))),
  )

/**
 * The image tower: a ViT with a norm before its blocks. `[height, width, channels] → [embedDim]`.
 *
 * @example
 * pipe(input(224, 224, 3), clipImage({ patchSize: 32, dim: 768, depth: 12, numHeads: 12, embedDim: 512 })) // Model<[224, 224, 3], [512]>
 */
export const clipImage = <const C extends ClipImageConfig>(config: C) => {
  const { epsilon = 1e-5 } = config
  const dim: C['dim'] = config.dim
  return serial(
    named('conv1', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim, bias: false })),
    flattenTokens(),
    classToken({ vector: 'class_embedding' }),
    positionEmbed({ table: 'positional_embedding' }),
    named('ln_pre', layerNorm({ epsilon })),
    named('transformer.resblocks', repeat(config.depth as C['depth'], block(dim, config.numHeads as C['numHeads'], epsilon, false))),
    takeToken(0),
    named('ln_post', layerNorm({ epsilon })),
    projection({ dim: config.embedDim as C['embedDim'] }),
  )
}

/**
 * The text tower: a transformer that reads from the front, and the features of the token that ends the text.
 * `integers [tokens] → [embedDim]`.
 *
 * @example
 * pipe(integerInput(77), clipText({ textDim: 512, textDepth: 12, textNumHeads: 8, embedDim: 512 })) // Model<Integers<[77]>, [512]>
 */
export const clipText = <const C extends ClipTextConfig>(config: C) => {
  const { epsilon = 1e-5 } = config
  const dim: C['textDim'] = config.textDim
  const encoder = serial(
    named('token_embedding', embedding({ vocabularySize: config.vocabularySize ?? 49408, dim })),
    positionEmbed({ table: 'positional_embedding' }),
    named('transformer.resblocks', repeat(config.textDepth as C['textDepth'], block(dim, config.textNumHeads as C['textNumHeads'], epsilon, true))),
    named('ln_final', layerNorm({ epsilon })),
  )
  return serial(fanOut({ x: unnamed(encoder), ids: unnamed(identity()) }), takeLargestToken(), projection({ dim: config.embedDim as C['embedDim'], parameter: 'text_projection' }))
}

/**
 * Both towers, and the scale of their similarities. `{ image: [height, width, channels], text: integers [tokens] } →
 * { image_features: [embedDim], text_features: [embedDim], scale: [] }`. Features are not normalised; `losses.similarities` does that.
 *
 * Errors: those of `patchEmbed` and `attention`.
 *
 * @example
 * pipe(inputs({ image: input(224, 224, 3), text: integerInput(77) }), clip({ imageSize: 224, patchSize: 32, dim: 768, depth: 12, numHeads: 12, embedDim: 512, textDim: 512, textDepth: 12, textNumHeads: 8 })) // Model<{ image: [224, 224, 3], text: Integers<[77]> }, { image_features: [512], text_features: [512], scale: [] }>
 */
export const clip = <const C extends ClipConfig>(config: C) => dualEncoder({ image: named('visual', clipImage(config)), text: clipText(config) })

/** What a CLIP is fed. */
export interface ClipInput<C extends ClipConfig> {
  readonly image: ImageOf<C>
  readonly text: Integers<readonly [Field<C, 'contextLength', 77> & number]>
}

/** The model of a CLIP. */
export type ClipModel<C extends ClipConfig> = Model<ClipInput<C>, Apply<ShapeFunctionOf<ReturnType<typeof clip<C>>>, ClipInput<C>>>

const clipModel = <const C extends ClipConfig>(config: C): ClipModel<C> => {
  const [height, width] = pairOf(config.imageSize)
  return model({ fields: { image: { shape: [height, width, config.channels ?? 3], dtype: 'float32' }, text: { shape: [option(config, 'contextLength', 77)], dtype: 'int32' } } }, [clip(config)])
}

/** CLIP's own: the statistics of its images, of which it was shown the whole middle. */
export const clipPreprocessing: Preprocessing = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711], crop: 1 }

/** Similarities as recordings hold them; towers may have been given different numbers of samples. */
const computed: Computed = ({ output }: Pick<Graph, 'output'>, samples) => {
  const { image_features: image, text_features: text, scale } = output as unknown as Readonly<Record<'image_features' | 'text_features' | 'scale', Tensor>>
  const [images, texts] = [samples['image'] ?? 1, samples['text'] ?? 1]
  const all = Math.max(images, texts)
  const first = (x: Tensor, count: number): Tensor => ops.slice(ops.batchToAxis(x, all), [0, 0], [count, x.shape[0]!])
  const [ofImages, ofTexts] = [first(image, images), first(text, texts)]
  const logits = losses.similarities(ofImages, ofTexts, scale)
  return {
    logits_per_image: logits, logits_per_text: ops.transpose(logits, [1, 0]),
    ...(images === texts ? { contrastive_loss: losses.contrastive(ofImages, ofTexts, scale) } : {}),
  }
}

/** A CLIP of given sizes as a recipe. */
export const clipRecipe = <const C extends ClipConfig>(config: C): Recipe<ClipModel<C>> => ({
  family: 'clip',
  source: 'Radford et al., 2021, arXiv 2103.00020; sizes and names as openai/CLIP',
  config: { ...config },
  options: clipOptions,
  model: clipModel<C>(config),
  preprocessing: clipPreprocessing,
  computed,
  withConfig: changes => clipRecipe({ ...config, ...changes }) as unknown as Recipe,
})

const base = { embedDim: 512, dim: 768, depth: 12, numHeads: 12, textDim: 512, textDepth: 12, textNumHeads: 8 } as const
const large = { embedDim: 768, dim: 1024, depth: 24, numHeads: 16, textDim: 768, textDepth: 12, textNumHeads: 12 } as const

/** The published CLIPs whose image tower is a ViT. */
export const clipRecipes = {
  clip_vit_b32: clipRecipe({ imageSize: 224, patchSize: 32, ...base }),
  clip_vit_b16: clipRecipe({ imageSize: 224, patchSize: 16, ...base }),
  clip_vit_l14: clipRecipe({ imageSize: 224, patchSize: 14, ...large }),
  clip_vit_l14_336: clipRecipe({ imageSize: 336, patchSize: 14, ...large }),
} as const

/** The keywords of `CLIP`, and of recordings that name the image tower's apart. */
const keywords: Readonly<Record<string, Keyword>> = {
  embed_dim: keyword('number', (embedDim: number) => ({ embedDim })),
  image_resolution: keyword('number', (imageSize: number) => ({ imageSize })),
  vision_layers: keyword('number', (depth: number) => ({ depth })),
  vision_width: keyword('number', (dim: number) => ({ dim })),
  vision_patch_size: keyword('number', (patchSize: number) => ({ patchSize })),
  vision_heads: keyword('number', (numHeads: number) => ({ numHeads })),
  context_length: keyword('number', (contextLength: number) => ({ contextLength })),
  vocab_size: keyword('number', (vocabularySize: number) => ({ vocabularySize })),
  transformer_width: keyword('number', (textDim: number) => ({ textDim })),
  transformer_heads: keyword('number', (textNumHeads: number) => ({ textNumHeads })),
  transformer_layers: keyword('number', (textDepth: number) => ({ textDepth })),
  norm_eps: keyword('number', (epsilon: number) => ({ epsilon })),
  act: keyword(['quick_gelu', 'quick_gelu x*sigmoid(1.702x)'], () => ({})),
  mask: keyword(['causal additive -inf'], () => ({})),
  pool: inert('string'),
}

const visionKeywords: Readonly<Record<string, string>> = { input_resolution: 'image_resolution', patch_size: 'vision_patch_size', width: 'vision_width', layers: 'vision_layers', heads: 'vision_heads' }

/** The model a reference recording of system `clip` was made by. */
export const clipReplica = (config: RawConfig): Either<Problem, Replica> => {
  const { vision, ...rest } = config
  if (vision !== undefined && (typeof vision !== 'object' || vision === null || Array.isArray(vision))) return left(problem('badKeyword', `clip: 'vision' must be the image tower's keywords, got ${JSON.stringify(vision)}`))
  const ofImages = Object.fromEntries(Object.entries((vision ?? {}) as RawConfig).map(([key, value]) => [visionKeywords[key] ?? `vision.${key}`, value]))
  const all: RawConfig = { ...rest, ...ofImages }
  if (Array.isArray(all['vision_layers'])) return unsupported('clip', "'vision_layers' lists the stages of a ResNet, and image towers are ViTs here", 'give the number of blocks of a ViT')
  const read = readKeywords('clip', all, keywords, ['embed_dim', 'image_resolution', 'vision_layers', 'vision_width', 'vision_patch_size', 'transformer_width', 'transformer_heads', 'transformer_layers'])
  if (read._tag === 'Left') return read
  const options = read.right as Omit<ClipConfig, 'numHeads'> & Partial<ClipConfig>
  // The reference always gives a head 64 channels of an image.
  return right({ model: clipRecipe({ ...options, numHeads: options.numHeads ?? Math.floor(options.dim / 64) }).model as unknown as Replica['model'], outputs: {}, computed, preprocessing: clipPreprocessing })
}
