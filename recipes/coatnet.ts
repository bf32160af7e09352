import { right, type Either } from 'fp-ts/lib/Either.js'
import {
  batchNorm, conv2d, dropout, fanOut, gelu, globalPool, identity, layerNorm, linear, mbConv, merge, named, relu, repeat, serial, silu, stages, tanh, transformerBlock2d, when,
  type Activation, type Layer, type MbConv, type Problem, type RelativePositionKind, type Same, type ShapeFunction, type TransformerBlock2d,
} from '../src/index.js'
import type { AnyLayer } from '../src/layers/core/layer.js'
import type { BlockPadding, PoolKind, RoundsUp } from '../src/layers/core/halving.js'
import type { NormKind } from '../src/layers/core/normalisation.js'
import type { StrideMode } from '../src/layers/mbConv.js'
import type { Multiply } from '../src/shape/natural.js'
import { pairOf, type HeightOf, type Pair, type WidthOf } from '../src/shape/patches.js'
import type { AnyShapeError, Expects } from '../src/shape/shapeError.js'
import type { Under } from '../src/shape/under.js'
import { readMaxxVitConfig } from './kit/maxxVitKeywords.js'
import { imageModel, imagenetPreprocessing, inceptionPreprocessing, type Field, type ImageInput, type ImageModel, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import type { Kind, RawConfig } from './kit/referenceConfig.js'

/*
 * CoAtNet: "CoAtNet: Marrying Convolution and Attention for All Data Sizes" (Dai et al., 2021, arXiv 2106.04803):
 * a convolutional stem, stages of inverted bottlenecks, then stages of transformer blocks whose attention knows
 * how far places lie apart. There is no official code; names, sizes and what the paper leaves open are timm's,
 * whose trained variants (`rw`) differ from the paper in details that are options here.
 */

/** What a block is: an inverted bottleneck or a transformer block. */
export type CoatnetBlock = 'conv' | 'attention'

/** The options of a CoAtNet. All but the sizes have the paper's values as defaults. */
export interface CoatnetConfig {
  /** Channels of each stage; every stage halves the map first. */
  readonly dims: readonly number[]
  /** Blocks of each stage. */
  readonly depths: readonly number[]
  /** What the blocks of each stage are, or each of its blocks (the last one stands for the rest); default: two stages of each. */
  readonly blocks?: readonly (CoatnetBlock | readonly CoatnetBlock[])[]
  /** Channels of the two convolutions in front. */
  readonly stemDims: Pair
  readonly stemBias?: boolean
  /** 0 leaves out the head (default 1000). */
  readonly numClasses?: number

  // inverted bottlenecks, as `mbConv` has them
  readonly expansion?: number
  readonly expandFrom?: 'output' | 'input'
  readonly kernelSize?: number
  readonly groupSize?: number
  readonly strideMode?: StrideMode
  readonly convPool?: PoolKind
  readonly branchPool?: PoolKind
  readonly padding?: BlockPadding
  readonly preActivation?: boolean
  readonly excite?: 'late' | 'early' | 'none'
  readonly exciteRatio?: number
  readonly exciteActivation?: Activation
  readonly outputBias?: boolean
  /** Of the stem too, as is the norm. */
  readonly convActivation?: Activation
  readonly convNorm?: NormKind
  readonly convEpsilon?: number

  // transformer blocks, as `transformerBlock2d` has them
  readonly headDim?: number
  readonly expandFirst?: boolean
  readonly attentionPool?: PoolKind
  readonly shortcutBias?: boolean
  readonly attentionBias?: boolean
  readonly mlpRatio?: number
  readonly positions?: RelativePositionKind
  readonly positionDim?: number
  readonly layerScale?: number
  readonly activation?: Activation
  /** Of the head too. */
  readonly norm?: NormKind
  readonly epsilon?: number

  /** Channels of a tanh layer before the head, which then pools before the norm (default 0: none). */
  readonly preLogits?: number
  /** `averageAndMax` puts both side by side. */
  readonly pool?: 'average' | 'max' | 'averageMax' | 'averageAndMax' | 'none'
  /** Rates that act in training only; `dropPath` grows linearly from 0 over all blocks. */
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
  readonly headDropout?: number
}

const acts = ['gelu', 'geluTanh', 'quickGelu', 'relu', 'silu', 'tanh'] as const satisfies readonly Activation[]
const halvings = ['average2', 'average3', 'max2', 'max3'] as const satisfies readonly PoolKind[]
const norms = ['batchNorm', 'layerNorm'] as const satisfies readonly NormKind[]

/** What each option may be, for configurations that come from files. */
export const coatnetOptions: { readonly [K in keyof Required<CoatnetConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', dims: 'numbers', depths: 'numbers', blocks: 'list', stemDims: 'pair', stemBias: 'boolean', numClasses: 'number',
  expansion: 'number', expandFrom: ['output', 'input'], kernelSize: 'number', groupSize: 'number', strideMode: ['depthwise', 'pointwise', 'pool'], convPool: halvings, branchPool: halvings,
  padding: ['symmetric', 'same'], preActivation: 'boolean', excite: ['late', 'early', 'none'], exciteRatio: 'number', exciteActivation: acts, outputBias: 'boolean',
  convActivation: acts, convNorm: norms, convEpsilon: 'number',
  headDim: 'number', expandFirst: 'boolean', attentionPool: halvings, shortcutBias: 'boolean', attentionBias: 'boolean', mlpRatio: 'number', positions: ['table', 'mlp', 'grid', 'none'], positionDim: 'number',
  layerScale: 'number', activation: acts, norm: norms, epsilon: 'number',
  preLogits: 'number', pool: ['average', 'max', 'averageMax', 'averageAndMax', 'none'], dropout: 'number', attentionDropout: 'number', dropPath: 'number', headDropout: 'number',
}

const activations: Readonly<Record<Activation, () => Layer<Same>>> = {
  gelu: () => gelu() as Layer<Same>, geluTanh: () => gelu({ form: 'tanh' }) as Layer<Same>, quickGelu: () => gelu({ form: 'quick' }) as Layer<Same>, relu: () => relu() as Layer<Same>, silu: () => silu() as Layer<Same>, tanh: () => tanh() as Layer<Same>,
}
const normalise = (kind: NormKind, epsilon: number): Layer<Same> => (kind === 'batchNorm' ? batchNorm({ epsilon }) : layerNorm({ epsilon })) as Layer<Same>

/** Two 3×3 convolutions, the first of which halves the image; a norm and an activation only between them. */
const stem = <const C extends CoatnetConfig>(config: C) => {
  const { stemBias = false, convActivation = 'gelu', convNorm = 'batchNorm', convEpsilon = 1e-5 } = config
  const [first, second] = pairOf(config.stemDims) as readonly [HeightOf<C['stemDims']>, WidthOf<C['stemDims']>]
  // A border of 1 makes as many positions as `same`, so that one type says both.
  const padding = (config.padding === 'same' ? 'same' : 1) as 'same'
  return serial(
    named('conv1', conv2d({ dim: first, kernelSize: 3, stride: 2, padding, bias: stemBias })),
    named('norm1', normalise(convNorm, convEpsilon)),
    activations[convActivation](),
    named('conv2', conv2d({ dim: second, kernelSize: 3, padding, bias: stemBias })),
  )
}

/** The options that are given; the blocks have the defaults of the others. */
const given = <T extends object>(options: T) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { readonly [K in keyof T]: Exclude<T[K], undefined> }

const convBlock = (c: CoatnetConfig, dim: number, stride: 1 | 2, dropPath: number): AnyLayer =>
  mbConv(given({
    dim, stride, dropPath, expansion: c.expansion, expandFrom: c.expandFrom, kernelSize: c.kernelSize, groupSize: c.groupSize, strideMode: c.strideMode, pool: c.convPool, branchPool: c.branchPool,
    padding: c.padding, preActivation: c.preActivation, activation: c.convActivation, excite: c.excite, exciteRatio: c.exciteRatio, exciteActivation: c.exciteActivation, norm: c.convNorm,
    epsilon: c.convEpsilon, outputBias: c.outputBias,
  }))

const attentionBlock = (c: CoatnetConfig, dim: number, stride: 1 | 2, dropPath: number): AnyLayer =>
  transformerBlock2d(given({
    dim, stride, dropPath, headDim: c.headDim, expandFirst: c.expandFirst, pool: c.attentionPool, shortcutBias: c.shortcutBias, attentionBias: c.attentionBias, mlpRatio: c.mlpRatio,
    positions: c.positions, positionDim: c.positionDim, layerScale: c.layerScale, activation: c.activation, norm: c.norm, epsilon: c.epsilon, dropout: c.dropout, attentionDropout: c.attentionDropout,
  }))

const defaultBlocks = ['conv', 'conv', 'attention', 'attention'] as const

/** Block `index` of a stage. */
const kindOf = (config: CoatnetConfig, stage: number, index: number): CoatnetBlock => {
  const kinds = (config.blocks ?? defaultBlocks)[stage] ?? 'attention'
  return typeof kinds === 'string' ? kinds : (kinds[Math.min(index, kinds.length - 1)] ?? 'attention')
}

/** One stage: its first block halves the map and changes its channels, the others keep both. */
const stage = (config: CoatnetConfig, at: number): AnyLayer => {
  const { dims, depths, dropPath = 0 } = config
  const [dim, depth] = [dims[at] as number, depths[at] as number]
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)
  const rate = (index: number): number => (dropPath * (sum(depths.slice(0, at)) + index)) / Math.max(1, sum(depths) - 1)
  const block = (index: number) => (kindOf(config, at, index) === 'conv' ? convBlock : attentionBlock)(config, dim, index === 0 ? 2 : 1, rate(index))
  const first = named('blocks', named('0', block(0)))
  return depth === 1 ? first : serial(first, named('blocks', repeat(depth - 1, index => block(index + 1), { first: 1 })))
}

// What the compiler knows of the stages. Written in few steps, and of the options themselves rather than of the
// whole configuration, so that published models share what is worked out.
type First<Kinds> = Kinds extends readonly [infer K, ...unknown[]] ? K : Kinds
type Last<Kinds> = Kinds extends readonly [...unknown[], infer K] ? K : Kinds
/** A block's shape function; `Conv` and `Attention` hold what makes those of one model differ from those of others. */
type Block<Kind, D extends number, S extends 1 | 2, Conv extends ConvShape, Attention extends AttentionShape> =
  Kind extends 'conv' ? MbConv<D, S, Conv[0], Conv[1]> : TransformerBlock2d<D, S, Attention[0], Attention[1], Attention[2]>
type ConvShape = readonly [shortcutUp: boolean, branchUp: boolean]
type AttentionShape = readonly [headDim: number, expandFirst: boolean, up: boolean]
/** What the blocks of stage I are. */
type KindsAt<Kinds, I extends number> = `${I}` extends keyof Kinds ? Kinds[`${I}`] : 'attention'
type Walk<Dims extends readonly number[], Depths, Kinds, Conv extends ConvShape, Attention extends AttentionShape, S, At extends readonly 0[] = []> = Dims extends readonly [infer D extends number, ...infer Rest extends readonly number[]]
  ? Under<`stages.${At['length']}.blocks.0`, Block<First<KindsAt<Kinds, At['length']>>, D, 2, Conv, Attention>, S> extends infer O
    ? O extends AnyShapeError ? O
    : Others<Depths[At['length'] & keyof Depths], `stages.${At['length']}.blocks.1`, Block<Last<KindsAt<Kinds, At['length']>>, D, 1, Conv, Attention>, O> extends infer P
      ? P extends AnyShapeError ? P : Walk<Rest, Depths, Kinds, Conv, Attention, P, [...At, 0]>
      : never
    : never
  : S
type Others<Depth, Name extends string, F extends ShapeFunction, S> = Depth extends 1 ? S : number extends Depth ? S : Under<Name, F, S>

/** The shape function of {@link coatnetStages}. */
export interface CoatnetStages<Dims extends readonly number[], Depths, Kinds extends readonly unknown[], Conv extends ConvShape, Attention extends AttentionShape> extends ShapeFunction {
  readonly out: number extends Dims['length'] | Kinds['length'] ? readonly [number, number, number] : Walk<Dims, Depths, Kinds, Conv, Attention, this['in']>
}
type Pool<C, K extends string> = Field<C, K, 'average2'> & PoolKind
type Pad<C> = Field<C, 'padding', 'symmetric'> & BlockPadding
type ConvOf<C> = readonly [RoundsUp<Pool<C, 'convPool'>, Pad<C>>, Field<C, 'strideMode', 'depthwise'> extends 'pool' ? RoundsUp<Pool<C, 'branchPool'>, Pad<C>> : true]
type AttentionOf<C> = readonly [Field<C, 'headDim', 32> & number, Field<C, 'expandFirst', true> & boolean, RoundsUp<Pool<C, 'attentionPool'>, 'symmetric'>]
type StagesOf<C extends CoatnetConfig> = CoatnetStages<C['dims'], C['depths'], Field<C, 'blocks', typeof defaultBlocks> & readonly unknown[], ConvOf<C>, AttentionOf<C>>

/**
 * The stages of a CoAtNet. `[height, width, channels] → [height / 2^stages, width / 2^stages, dim]`.
 *
 * Errors: those of `mbConv` and `transformerBlock2d`.
 */
export const coatnetStages = <const C extends CoatnetConfig>(config: C): Layer<StagesOf<C>> =>
  stages(...config.dims.map((_, at) => stage(config, at))) as unknown as Layer<StagesOf<C>>

/** The shape function of {@link coatnetHead}, in one step: it stands for a dozen layers in every published model. */
export interface CoatnetHead<Pool, Hidden, Classes> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? Pooled<H, W, [Classes] extends [0] ? ([Hidden] extends [0] ? ([Pool] extends ['averageAndMax'] ? Multiply<2, C> : C) : Hidden) : Classes, Pool>
    : Expects<'expectsImage', 'layerNorm', this['in']>
}
type Pooled<H extends number, W extends number, D, Pool> = Pool extends 'none' ? readonly [H, W, D] : readonly [D]
type HeadOf<C> = CoatnetHead<Field<C, 'pool', 'average'>, Field<C, 'preLogits', 0>, Field<C, 'numClasses', 1000>>

/** Norm, pooling and classifier of a CoAtNet. `[height, width, dim] → [numClasses]`; without pooling, `[height, width, numClasses]`. */
export const coatnetHead = <const C extends CoatnetConfig>(config: C): Layer<HeadOf<C>> => {
  const { pool = 'average', preLogits = 0, numClasses = 1000, headDropout = 0 } = config
  const norm = normalise(config.norm ?? 'layerNorm', config.epsilon ?? 1e-6)
  const globally = pool === 'none' ? identity() : pool === 'averageAndMax' ? serial(fanOut({ average: globalPool(), max: globalPool({ kind: 'max' }) }), merge('concat')) : globalPool({ kind: pool })
  // Where there is a hidden layer and no pooling, timm stores linear maps as convolutions of one pixel.
  const project = (dim: number): AnyLayer => (pool === 'none' && preLogits !== 0 ? conv2d({ dim, kernelSize: 1 }) : linear(dim))
  return serial(
    named('norm', preLogits === 0 ? norm : identity()),
    named('head', serial(
      named('global_pool', globally),
      when(preLogits !== 0, serial(named('norm', norm), named('pre_logits', serial(named('fc', project(preLogits)), tanh())))),
      named('drop', dropout(headDropout)),
      when(numClasses !== 0, named('fc', project(numClasses))),
    )),
  ) as unknown as Layer<HeadOf<C>>
}

/**
 * A CoAtNet as a layer over images. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), coatnet({ dims: [96, 192, 384, 768], depths: [2, 3, 5, 2], stemDims: 64 })) // Model<[224, 224, 3], [1000]>
 */
export const coatnet = <const C extends CoatnetConfig>(config: C) => serial(named('stem', stem(config)), coatnetStages(config), coatnetHead(config))

const usual: Preprocessing = { ...inceptionPreprocessing, crop: 0.95 }

/** A CoAtNet of given sizes as a recipe. */
export const coatnetRecipe = <const C extends CoatnetConfig & ImageInput>(config: C, preprocessing: Preprocessing = usual): Recipe<ImageModel<C, ReturnType<typeof coatnet<C>>>> => ({
  family: 'coatnet',
  source: 'Dai et al., 2021, arXiv 2106.04803; names, sizes and variants as timm',
  config: { ...config },
  options: coatnetOptions,
  model: imageModel(config, () => coatnet(config)),
  preprocessing,
  withConfig: changes => coatnetRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

const nano = { imageSize: 224, dims: [64, 128, 256, 512], stemDims: [32, 64] } as const
const small = { imageSize: 224, dims: [96, 192, 384, 768], stemDims: [32, 64] } as const
const medium = { imageSize: 224, dims: [128, 256, 512, 1024], stemDims: [64, 128] } as const
const large = { imageSize: 224, dims: [192, 384, 768, 1536], stemDims: [96, 192] } as const
/** timm's own models, made before Google's MaxViT showed how its authors build these blocks. */
const rw = { expandFrom: 'input', convActivation: 'silu', expandFirst: false } as const
/** The first ones, with the gate before the norm. */
const rwEarly = { ...rw, preActivation: true, outputBias: false, exciteActivation: 'relu', excite: 'early', shortcutBias: false } as const
const rwLate = { ...rw, preActivation: true, outputBias: false } as const

/** The published CoAtNets. */
export const coatnetRecipes = {
  coatnet_0_224: coatnetRecipe({ ...small, depths: [2, 3, 5, 2], stemDims: 64, preLogits: 768 }),
  coatnet_1_224: coatnetRecipe({ ...small, depths: [2, 6, 14, 2], stemDims: 64, preLogits: 768 }),
  coatnet_2_224: coatnetRecipe({ ...medium, depths: [2, 6, 14, 2], stemDims: 128, preLogits: 1024 }),
  coatnet_3_224: coatnetRecipe({ ...large, depths: [2, 6, 14, 2], stemDims: 192, preLogits: 1536 }),
  coatnet_4_224: coatnetRecipe({ ...large, depths: [2, 12, 28, 2], stemDims: 192, preLogits: 1536 }),
  coatnet_5_224: coatnetRecipe({ imageSize: 224, dims: [256, 512, 1280, 2048], depths: [2, 12, 28, 2], stemDims: 192, preLogits: 2048 }),
  coatnet_pico_rw_224: coatnetRecipe({ ...nano, depths: [2, 3, 5, 2], ...rw }),
  coatnet_nano_rw_224: coatnetRecipe({ ...nano, depths: [3, 4, 6, 3], ...rw, strideMode: 'pool' }, inceptionPreprocessing),
  /** Attention and convolutions mixed in the later stages. */
  coatnet_nano_cc_224: coatnetRecipe({ ...nano, depths: [3, 4, 6, 3], ...rwLate, exciteActivation: 'relu', strideMode: 'pool', blocks: ['conv', 'conv', ['conv', 'attention'], ['conv', 'attention']] }),
  coatnet_0_rw_224: coatnetRecipe({ ...small, depths: [2, 3, 7, 2], ...rwEarly, strideMode: 'pool' }),
  coatnet_1_rw_224: coatnetRecipe({ ...small, depths: [2, 6, 14, 2], ...rwEarly }),
  coatnet_2_rw_224: coatnetRecipe({ ...medium, depths: [2, 6, 14, 2], ...rwLate }),
  coatnet_3_rw_224: coatnetRecipe({ ...large, depths: [2, 6, 14, 2], ...rwLate, layerScale: 1e-6 }),
  /** BatchNorm in the transformer blocks too. */
  coatnet_bn_0_rw_224: coatnetRecipe({ ...small, depths: [2, 3, 7, 2], ...rwEarly, norm: 'batchNorm' }, { ...imagenetPreprocessing, crop: 0.95 }),
  /** Positions from a small network. */
  coatnet_rmlp_nano_rw_224: coatnetRecipe({ ...nano, depths: [3, 4, 6, 3], ...rw, positions: 'mlp', positionDim: 384 }, inceptionPreprocessing),
  coatnet_rmlp_0_rw_224: coatnetRecipe({ ...small, depths: [2, 3, 7, 2], ...rwLate, exciteActivation: 'relu', positions: 'mlp' }),
  coatnet_rmlp_1_rw_224: coatnetRecipe({ ...small, depths: [2, 6, 14, 2], ...rwEarly, strideMode: 'pool', convPool: 'max3', attentionPool: 'max3', positions: 'mlp', positionDim: 384 }),
  coatnet_rmlp_1_rw2_224: coatnetRecipe({ ...small, depths: [2, 6, 14, 2], ...rwLate, exciteActivation: 'relu', positions: 'mlp' }),
  coatnet_rmlp_2_rw_224: coatnetRecipe({ ...medium, depths: [2, 6, 14, 2], ...rwLate, layerScale: 1e-6, positions: 'mlp' }),
  coatnet_rmlp_2_rw_384: coatnetRecipe({ ...medium, imageSize: 384, depths: [2, 6, 14, 2], ...rwLate, layerScale: 1e-6, positions: 'mlp' }, { ...inceptionPreprocessing, crop: 1 }),
  coatnet_rmlp_3_rw_224: coatnetRecipe({ ...large, depths: [2, 6, 14, 2], ...rwLate, layerScale: 1e-6, positions: 'mlp' }),
} as const

/** The model a reference recording of system `coatnet` was made by. */
export const coatnetReplica = (config: RawConfig): Either<Problem, Replica> => {
  const read = readMaxxVitConfig('coatnet', config)
  if (read._tag === 'Left') return read
  const { model, preprocessing } = coatnetRecipe(read.right as CoatnetConfig & ImageInput)
  return right({ model: model as unknown as Replica['model'], outputs: {}, preprocessing })
}
