import { left, right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, dropPath, dropout, flattenTokens, gelu, globalPool, layerNorm, linear, named, patchEmbed, positionEmbed, relativeTokenAttention, repeat, residual, scale,
  serial, subnetwork, takeToken, when,
  type AnyLayer, type Layer, type Problem,
} from '../src/index.js'
import { model, type AnyModel } from '../src/layers/core/model.js'
import type { ShapeFunctionOf } from '../src/layers/core/layer.js'
import { pairOf, type Pair } from '../src/shape/patches.js'
import { problem } from '../src/shape/problem.js'
import { is, not } from './kit/conditions.js'
import { imageModel, imagenetPreprocessing, option, type ImageInput, type ImageModel, type Recipe, type Replica } from './kit/recipe.js'
import { inert, inertAll, keyword, readKeywords, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { vitKeywords } from './kit/vitKeywords.js'

/*
 * AutoFormer: "AutoFormer: Searching Transformers for Visual Recognition" (Chen et al., 2021, arXiv 2107.00651): one
 * large network whose sub-networks share its weights, each weight of theirs being the first rows and columns of its own
 * (section 3.1), and the sub-networks that were found in it. Names and sizes are the authors' (microsoft/Cream).
 */

/** One number for all blocks, or one for each. */
export type OfBlocks = number | readonly number[]

/** The options of an AutoFormer. */
export interface AutoformerConfig {
  readonly patchSize: Pair
  readonly dim: number
  readonly depth: number
  readonly numHeads: OfBlocks
  /** Channels in the middle of a block, as a multiple of `dim` (default 4). */
  readonly mlpRatio?: OfBlocks
  /** Channels of a head (default 64). */
  readonly headDim?: number
  /** 0 leaves out the head (default 1000). */
  readonly numClasses?: number
  readonly qkvBias?: boolean
  /** Vectors for how far patches are apart, in keys and in values (default true), and how far they are told apart (default 14). */
  readonly relativePosition?: boolean
  readonly maxDistance?: number
  /** Whether each token has a learned position, too (default true). */
  readonly positions?: boolean
  readonly pool?: 'token' | 'average'
  /** Whether norms stand before attention and MLP (default), with one more at the end, or after the sums. */
  readonly norm?: 'before' | 'after'
  readonly epsilon?: number
  /**
   * The network it is a part of, whose weights are then its parameters: channels, blocks, heads and ratio of it. All four or
   * none.
   */
  readonly superDim?: number
  readonly superDepth?: number
  readonly superHeads?: number
  readonly superMlpRatio?: number
  /** Whether heads share the channels of the whole network, however many they are, so that queries, keys and values are as wide as there (default false). */
  readonly wideQkv?: boolean
  /** Whether branches that are narrower than those of the whole network are multiplied up (default false). */
  readonly widthScale?: boolean
  /** Rates that act in training only; `dropPath` grows linearly from 0 over the blocks. */
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
}

/** What each option may be, for configurations that come from files. */
export const autoformerOptions: { readonly [K in keyof Required<AutoformerConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'pair', dim: 'number', depth: 'number', numHeads: 'numberOrNumbers', mlpRatio: 'numberOrNumbers', headDim: 'number', numClasses: 'number',
  qkvBias: 'boolean', relativePosition: 'boolean', maxDistance: 'number', positions: 'boolean', pool: ['token', 'average'] satisfies readonly AutoformerConfig['pool'][],
  norm: ['before', 'after'] satisfies readonly AutoformerConfig['norm'][], epsilon: 'number', superDim: 'number', superDepth: 'number', superHeads: 'number', superMlpRatio: 'number',
  wideQkv: 'boolean', widthScale: 'boolean', dropout: 'number', attentionDropout: 'number', dropPath: 'number',
}

const of = (values: OfBlocks, index: number): number => (typeof values === 'number' ? values : values[index]!)

/** What is dropped in the part of a network, by the share of channels it has; the paper says nothing of it, the reference does it. */
const narrowed = (rate: number, { dim, superDim = dim }: AutoformerConfig): number => (rate * dim) / superDim

const attentionOf = (config: AutoformerConfig, index: number) => {
  const { dim, superDim = dim, wideQkv = false, widthScale = false, qkvBias = true, relativePosition = true, maxDistance = 14, attentionDropout = 0, dropout: rate = 0 } = config
  const numHeads = of(config.numHeads, index)
  const headDim = wideQkv ? superDim / numHeads : (config.headDim ?? 64)
  return relativeTokenAttention({
    numHeads, headDim, qkvBias, positions: relativePosition ? 'relative' : 'none', maxDistance, attentionDropout, projDropout: rate,
    ...(wideQkv ? { packing: 'blocks', scale: Math.floor(dim / numHeads) ** -0.5 } : {}),
    ...(widthScale ? { gain: superDim / (numHeads * headDim) } : {}),
  })
}

const mlpOf = <const D extends number>(dim: D, config: AutoformerConfig, index: number) => {
  const { mlpRatio = 4, superMlpRatio = 4, widthScale = false } = config
  const [ratio, rate] = [of(mlpRatio, index), narrowed(config.dropout ?? 0, config)]
  return serial(
    named('fc1', linear(Math.floor(dim * ratio))), gelu(), named('drop1', dropout(rate)),
    named('fc2', linear(dim)), named('drop2', dropout(rate)), when(widthScale as true, scale(widthScale ? superMlpRatio / ratio : 1)),
  )
}

const block = <const C extends AutoformerConfig>(config: C, index: number) => {
  const { norm = 'before', epsilon = 1e-5, depth, superDepth = depth, attentionDropout = 0, dropPath: rate = 0 } = config
  const drop = (rate * index) / Math.max(1, superDepth - 1)
  const normed = (name: string, at: AutoformerConfig['norm']) => when((norm === at) as true, named(name, layerNorm({ epsilon })))
  return serial(
    residual(serial(normed('attn_layer_norm', 'before'), attentionOf(config, index), named('attn_drop', dropout(narrowed(attentionDropout, config))), named('drop_path1', dropPath(drop)))),
    normed('attn_layer_norm', 'after'),
    residual(serial(normed('ffn_layer_norm', 'before'), mlpOf(config.dim as C['dim'], config, index), named('drop_path2', dropPath(drop)))),
    normed('ffn_layer_norm', 'after'),
  )
}

/** Everything of one network but its head. `[height, width, channels] → [dim]`. */
const featuresOf = <const C extends AutoformerConfig>(config: C) => {
  const { depth, norm = 'before', epsilon = 1e-5 } = config
  const pool = option(config, 'pool', 'average')
  return serial(
    named('patch_embed_super', serial(named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] })), flattenTokens())),
    classToken(),
    when((config.positions ?? true) as true, positionEmbed()),
    named('pos_drop', dropout(narrowed(config.dropout ?? 0, config))),
    repeat(depth, index => block(config, index)),
    when((norm === 'before') as true, named('norm', layerNorm({ epsilon }))),
    when(is(pool, 'average'), globalPool({ prefixTokens: 1 })),
    when(not(is(pool, 'average')), takeToken(0)),
  )
}

const headOf = <const C extends AutoformerConfig>(config: C) => {
  const classes = option(config, 'numClasses', 1000)
  return serial(when(not(is(classes, 0)), named('head', linear(classes))))
}

const networkOf = <const C extends AutoformerConfig>(config: C) => serial(featuresOf(config), headOf(config))

/** The network that a configuration's is a part of; nothing where it stands for itself. */
const wholeOf = ({ superDim, superDepth, superHeads, superMlpRatio, ...config }: AutoformerConfig): AnyLayer | undefined =>
  superDim === undefined ? undefined : networkOf({ ...config, dim: superDim, depth: superDepth ?? config.depth, numHeads: superHeads ?? 1, headDim: superDim / (superHeads ?? 1), mlpRatio: superMlpRatio ?? 4, widthScale: false, wideQkv: false })

/**
 * An AutoFormer as a layer over images: a network that stands for itself, or, where `superDim` and its kin say of which,
 * a part of a larger one with all the weights of that. `[height, width, channels] → [numClasses]`.
 *
 * Errors: those of `patchEmbed`; `notAPart` (it is larger than the whole).
 *
 * @example
 * pipe(input(224, 224, 3), autoformer({ patchSize: 16, dim: 192, depth: 12, numHeads: 3 })) // Model<[224, 224, 3], [1000]>
 */
export const autoformer = <const C extends AutoformerConfig>(config: C): Layer<ShapeFunctionOf<ReturnType<typeof networkOf<C>>>> => {
  const [whole, network] = [wholeOf(config), networkOf(config)]
  return whole === undefined ? network : subnetwork(whole, network)
}

/** An AutoFormer of given sizes as a recipe. */
export const autoformerRecipe = <const C extends AutoformerConfig & ImageInput>(config: C): Recipe<ImageModel<C, ReturnType<typeof autoformer<C>>>> => ({
  family: 'autoformer',
  source: 'Chen et al., 2021, arXiv 2107.00651; sizes and names as microsoft/Cream',
  config: { ...config },
  options: autoformerOptions,
  model: imageModel(config, () => autoformer(config)),
  preprocessing: imagenetPreprocessing,
  withConfig: changes => autoformerRecipe({ ...config, ...changes }) as unknown as Recipe,
})

const tiny = { imageSize: 224, patchSize: 16, superDim: 256, superDepth: 14, superHeads: 4, superMlpRatio: 4 } as const
const small = { imageSize: 224, patchSize: 16, superDim: 448, superDepth: 14, superHeads: 7, superMlpRatio: 4 } as const
const base = { imageSize: 224, patchSize: 16, superDim: 640, superDepth: 16, superHeads: 10, superMlpRatio: 4 } as const

/** The published supernets, as they are as a whole, and the sub-networks that were found in them, which keep all weights of theirs. */
export const autoformerRecipes = {
  autoformer_t_supernet: autoformerRecipe({ imageSize: 224, patchSize: 16, dim: 256, depth: 14, numHeads: 4 }),
  autoformer_t_subnet: autoformerRecipe({ ...tiny, dim: 192, depth: 13, numHeads: [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3], mlpRatio: [3.5, 3.5, 3, 3.5, 3, 3, 4, 4, 3.5, 4, 3.5, 4, 3.5] }),
  autoformer_s_supernet: autoformerRecipe({ imageSize: 224, patchSize: 16, dim: 448, depth: 14, numHeads: 7 }),
  autoformer_s_subnet: autoformerRecipe({ ...small, dim: 384, depth: 13, numHeads: [6, 6, 5, 7, 5, 5, 5, 6, 6, 7, 7, 6, 7], mlpRatio: [3, 3.5, 3, 3.5, 4, 4, 4, 4, 4, 4, 4, 3.5, 4] }),
  autoformer_b_supernet: autoformerRecipe({ imageSize: 224, patchSize: 16, dim: 640, depth: 16, numHeads: 10 }),
  autoformer_b_subnet: autoformerRecipe({ ...base, dim: 576, depth: 14, numHeads: [9, 9, 9, 9, 9, 10, 9, 9, 10, 9, 10, 9, 9, 10], mlpRatio: [3.5, 3.5, 4, 3.5, 4, 3.5, 3.5, 3, 4, 4, 3, 4, 3, 3.5] }),
} as const

/** The keywords of the authors' `Vision_TransformerSuper`. */
const keywords: Readonly<Record<string, Keyword>> = {
  ...vitKeywords,
  embed_dim: keyword('number', (superDim: number) => ({ superDim })),
  depth: keyword('number', (superDepth: number) => ({ superDepth })),
  num_heads: keyword('number', (superHeads: number) => ({ superHeads })),
  mlp_ratio: keyword('number', (superMlpRatio: number) => ({ superMlpRatio })),
  pre_norm: keyword('boolean', (before: boolean) => ({ norm: before ? 'before' : 'after' })),
  scale: keyword('boolean', (widthScale: boolean) => ({ widthScale })),
  gp: keyword('boolean', (average: boolean) => ({ pool: average ? 'average' : 'token' })),
  relative_position: keyword('boolean', (relativePosition: boolean) => ({ relativePosition })),
  change_qkv: keyword('boolean', (byHeads: boolean) => ({ wideQkv: !byHeads })),
  abs_pos: keyword('boolean', (positions: boolean) => ({ positions })),
  max_relative_position: keyword('number', (maxDistance: number) => ({ maxDistance })),
  samples: keyword('list', (samples: unknown) => ({ samples })),
  sampled_param_counts_repo: inert('list'),
  // Each sampled network has a scale of its own, and this one is never used.
  ...inertAll('number', ['qk_scale', 'drop_rate', 'attn_drop_rate', 'drop_path_rate']),
}

/** What the reference takes where a keyword is absent. */
const absent = { imageSize: 224, patchSize: 16, superDim: 768, superDepth: 12, superHeads: 12, superMlpRatio: 4, qkvBias: false, pool: 'token', relativePosition: false, wideQkv: true } as const

/** The words of `set_sample_config`. */
const sampleKeywords: Readonly<Record<string, Keyword>> = {
  embed_dim: keyword('numbers', (dims: readonly number[]) => ({ dims })),
  mlp_ratio: keyword('numbers', (mlpRatio: readonly number[]) => ({ mlpRatio })),
  num_heads: keyword('numbers', (numHeads: readonly number[]) => ({ numHeads })),
  layer_num: keyword('number', (depth: number) => ({ depth })),
}
type Whole = Omit<AutoformerConfig & ImageInput, 'dim' | 'depth' | 'numHeads' | 'mlpRatio'> & Required<Pick<AutoformerConfig, 'superDim' | 'superDepth' | 'superHeads' | 'superMlpRatio'>>

/** A sampled network, in our options. Errors: `badKeyword`, those of `readKeywords`. */
const sampled = (whole: Whole, sample: unknown, index: number): Either<Problem, AutoformerConfig & ImageInput> => {
  const refuse = (why: string): Either<Problem, never> => left(problem('badKeyword', `autoformer: sample ${index}: ${why}`))
  if (typeof sample !== 'object' || sample === null) return refuse('is no record of embed_dim, mlp_ratio, num_heads and layer_num')
  const read = readKeywords(`autoformer: sample ${index}`, sample as RawConfig, sampleKeywords, Object.keys(sampleKeywords))
  if (read._tag === 'Left') return read
  const { dims, depth, mlpRatio, numHeads } = read.right as { readonly dims: readonly number[]; readonly depth: number; readonly mlpRatio: readonly number[]; readonly numHeads: readonly number[] }
  if (!Number.isInteger(depth) || depth < 1 || depth > whole.superDepth) return refuse(`layer_num must be a whole number from 1 to ${whole.superDepth}, got ${depth}`)
  const short = Object.entries({ embed_dim: dims, mlp_ratio: mlpRatio, num_heads: numHeads }).find(([, list]) => list.length < depth)
  if (short !== undefined) return refuse(`${short[0]} has ${short[1].length} numbers for ${depth} blocks`)
  if (dims.some(dim => dim !== dims[0])) return refuse('embed_dim must be the same for all blocks, whose outputs are added up')
  const uneven = whole.wideQkv === true ? numHeads.slice(0, depth).find(heads => whole.superDim % heads !== 0) : undefined
  if (uneven !== undefined) return refuse(`without change_qkv the ${whole.superDim} channels of the whole do not split into ${uneven} heads`)
  return right({ ...whole, dim: dims[0]!, depth, mlpRatio, numHeads })
}

/** The model a reference recording of system `autoformer` was made by: the whole network, or all those sampled from it at once. */
export const autoformerReplica = (config: RawConfig): Either<Problem, Replica> => {
  const read = readKeywords('autoformer', config, keywords, [])
  if (read._tag === 'Left') return read
  const { samples, ...whole } = { ...absent, ...read.right } as Whole & { readonly samples?: readonly unknown[] }
  const { superDim, superDepth, superHeads, superMlpRatio } = whole
  if (superDim % superHeads !== 0) return left(problem('badKeyword', `autoformer: 'embed_dim' must be a multiple of 'num_heads', got ${superDim} and ${superHeads}`))
  const parts: Record<string, AnyLayer> = {}
  for (const [i, sample] of (samples ?? []).entries()) {
    const options = sampled(whole, sample, i)
    if (options._tag === 'Left') return options
    parts[`features.${i}`] = featuresOf(options.right)
    parts[`logits.${i}`] = networkOf(options.right)
  }
  const all = { ...whole, dim: superDim, depth: superDepth, numHeads: superHeads, mlpRatio: superMlpRatio, headDim: superDim / superHeads }
  const [height, width] = pairOf(whole.imageSize)
  const made = model({ shape: [height, width, whole.channels ?? 3], dtype: 'float32' }, [samples === undefined ? networkOf(all) : subnetwork(wholeOf(all)!, parts)])
  return right({ model: made as unknown as AnyModel, outputs: {}, preprocessing: imagenetPreprocessing })
}
