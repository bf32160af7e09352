import { left, right, type Either } from 'fp-ts/lib/Either.js'
import {
  absolutePositionEmbed, dropout, dropPath, expectWindows, globalPool, layerNorm, linear, mlp, named, patchEmbed, patchMerging, problem, repeat, residual, serial, stages, when, windowAttention, windows,
  type Activation, type AnyLayer, type Apply, type ExpectWindows, type Layer, type PatchMerging, type Problem, type ShapeFunction, type Stages, type WindowAttention, type Windows, type Within,
} from '../src/index.js'
import type { WindowClamp } from '../src/layers/core/fitWindow.js'
import { pairOf, type Pair } from '../src/shape/patches.js'
import type { AnyShapeError } from '../src/shape/shapeError.js'
import { is, not } from './kit/conditions.js'
import { fashionMnistPreprocessing, imageModel, imagenetPreprocessing, option, type Field, type ImageInput, type ImageModel, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inert, inertAll, keyword, readKeywords, unsupported, words, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { imageKeywords } from './kit/vitKeywords.js'

/*
 * Swin: "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (Liu et al., 2021, arXiv
 * 2103.14030). Attention inside windows, which every other block shifts by half; between stages, patches are
 * merged two by two. Sizes are the paper's, names timm's or those of Microsoft's own code.
 */

/** The options of a Swin. Every one but the first five has the paper's value as its default. */
export interface SwinConfig {
  readonly patchSize: Pair
  /** Channels of the first stage; each later one has twice those of the one before. */
  readonly dim: number
  /** Blocks of each stage. */
  readonly depths: readonly number[]
  /** Heads of each stage. */
  readonly numHeads: readonly number[]
  readonly windowSize: Pair
  /** Where they differ, the windows of each stage; `windowSize` is then not read. */
  readonly windowSizes?: readonly Pair[]
  /** 0 leaves out the head (default 1000). */
  readonly numClasses?: number
  readonly mlpRatio?: number
  readonly mlpRatios?: readonly number[]
  readonly qkvBias?: boolean
  /** What queries are multiplied by (default `1/√headDim`). */
  readonly scale?: number
  /** Channels of a head in each stage, where they are not the channels split among the heads. */
  readonly headDims?: readonly number[]
  readonly epsilon?: number
  readonly activation?: Activation
  /** Adds a learned position to each patch (default false). */
  readonly absolutePositions?: boolean
  /** Normalises patches after their projection (default true). */
  readonly patchNorm?: boolean
  /** Fills maps up to whole windows, and to even sizes before merging, where otherwise sizes that do not divide are refused (default false). */
  readonly padding?: boolean
  /** What becomes of windows larger than their map; by default what the code does that `names` names. */
  readonly clamp?: WindowClamp
  readonly pool?: 'average' | 'none'
  /** Whose parameter names (default `timm`): Microsoft's differ in where a stage merges and in the head. */
  readonly names?: 'timm' | 'microsoft'
  /** Rates that act in training only; `dropPath` grows linearly from 0 over the blocks. */
  readonly dropout?: number
  readonly projDropout?: number
  readonly headDropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
}

/** What each option may be, for configurations that come from files. */
export const swinOptions: { readonly [K in keyof Required<SwinConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'pair', dim: 'number', depths: 'numbers', numHeads: 'numbers', windowSize: 'pair', windowSizes: 'list', numClasses: 'number',
  mlpRatio: 'number', mlpRatios: 'numbers', qkvBias: 'boolean', scale: 'number', headDims: 'numbers', epsilon: 'number',
  activation: ['gelu', 'geluTanh', 'quickGelu', 'relu', 'silu', 'tanh'] satisfies readonly Activation[],
  absolutePositions: 'boolean', patchNorm: 'boolean', padding: 'boolean', clamp: ['each', 'both', 'never'] satisfies readonly WindowClamp[],
  pool: ['average', 'none'] satisfies readonly SwinConfig['pool'][], names: ['timm', 'microsoft'] satisfies readonly SwinConfig['names'][],
  dropout: 'number', projDropout: 'number', headDropout: 'number', attentionDropout: 'number', dropPath: 'number',
}

/**
 * Block `index` of a stage: attention in windows, then an MLP, each in a residual branch (figure 3b). Those of odd
 * number shift their windows by half.
 */
const block = (config: SwinConfig, stage: number, index: number) => {
  const { qkvBias = true, scale, epsilon = 1e-5, activation = 'gelu', padding = false, projDropout = 0, attentionDropout = 0 } = config
  const windowSize = windowOf(config, stage)
  const rate = dropPathRate(config, stage, index)
  const [headDim, mlpRatio] = [config.headDims?.[stage], config.mlpRatios?.[stage] ?? config.mlpRatio ?? 4]
  const attention = windowAttention({ numHeads: config.numHeads[stage]!, qkvBias, attentionDropout, projDropout, ...(scale === undefined ? {} : { scale }), ...(headDim === undefined ? {} : { headDim }) })
  return serial(
    residual(serial(
      named('norm1', layerNorm({ epsilon })),
      windows({ windowSize, shift: index % 2 === 0 ? 0 : half(windowSize), padding, clamp: clampOf(config) }, attention),
      named('drop_path1', dropPath(rate)),
    )),
    residual(serial(named('norm2', layerNorm({ epsilon })), mlp({ mlpRatio, activation, dropout: projDropout }), named('drop_path2', dropPath(rate)))),
  )
}

const windowOf = (config: SwinConfig, stage: number): Pair => config.windowSizes?.[stage] ?? config.windowSize
const half = (window: Pair): Pair => [Math.floor(pairOf(window)[0] / 2), Math.floor(pairOf(window)[1] / 2)]
const clampOf = ({ clamp, names = 'timm' }: SwinConfig): WindowClamp => clamp ?? (names === 'timm' ? 'each' : 'both')
const dropPathRate = ({ dropPath: rate = 0, depths }: SwinConfig, stage: number, index: number): number => {
  const [before, all] = [depths.slice(0, stage), depths].map(list => list.reduce((n, depth) => n + depth, 0)) as [number, number]
  return (rate * (before + index)) / Math.max(1, all - 1)
}

/** Stage `index`: blocks, and where it is not alone the merging that timm puts first and Microsoft last. */
const stage = (config: SwinConfig, index: number): AnyLayer => {
  const { depths, epsilon = 1e-5, padding = false, names = 'timm' } = config
  const count = config.windowSizes === undefined ? depths.length : index + 1
  const clamp = clampOf(config)
  const merging = named('downsample', patchMerging({ epsilon, padding }))
  return serial(
    when(names === 'timm' && index > 0, merging),
    when(!padding && clamp !== 'never', expectWindows({ stage: index + 1, stages: count, windowSize: windowOf(config, index), patchSize: config.patchSize, clamp: clamp === 'both' ? 'both' : 'each' })),
    repeat(depths[index]!, i => block(config, index, i)),
    when(names === 'microsoft' && index < depths.length - 1, merging),
  )
}

/*
 * The stages on types. A block keeps its shape if its windows fit and its heads divide, so one look at each stage
 * is enough; the rest of the recipe is typed by the layers it is made of.
 */
export interface SwinStage<C extends SwinConfig, K extends string> extends ShapeFunction {
  readonly out: Field<C, 'names', 'timm'> extends 'microsoft'
    ? IsLast<C, K> extends true ? Blocks<C, K, this['in']> : Merged<C, Blocks<C, K, this['in']>>
    : Blocks<C, K, K extends '0' ? this['in'] : Merged<C, this['in']>>
  readonly path: string
  readonly inner: this['path'] extends `blocks.${number}` ? (Field<C, 'names', 'timm'> extends 'microsoft' ? this['in'] : this['out']) : never
}
type IsLast<C extends SwinConfig, K> = C['depths']['length'] extends NumberOf<K> ? true : false
/** A stage's number, from 1, by its index. */
type NumberOf<K> = K extends keyof Numbers ? Numbers[K] : number
interface Numbers { '0': 1; '1': 2; '2': 3; '3': 4; '4': 5; '5': 6; '6': 7; '7': 8 }
type Merged<C, S> = S extends AnyShapeError ? S : Within<'downsample', Apply<PatchMerging<number, Padding<C>>, S>>
type Padding<C> = Field<C, 'padding', false> & boolean
type Blocks<C extends SwinConfig, K, S> = Checked<C, K, S> extends infer T ? (T extends AnyShapeError ? T : Within<'blocks.0', Apply<Attended<C, K>, T>>) : never
type Checked<C extends SwinConfig, K, S> = [Padding<C>] extends [false] ? (ClampOf<C> extends infer M extends 'each' | 'both' ? Apply<ExpectWindows<NumberOf<K>, CountOf<C, K>, WindowOf<C, K>, C['patchSize'], M>, S> : S) : S
type Attended<C extends SwinConfig, K> = Windows<WindowOf<C, K>, Padding<C>, ClampOf<C>, WindowAttention<C['numHeads'][K & keyof C['numHeads']] & number, HeadDim<C, K>, Pair>>
type ClampOf<C> = Field<C, 'clamp', Field<C, 'names', 'timm'> extends 'microsoft' ? 'both' : 'each'> & WindowClamp
type WindowOf<C extends SwinConfig, K> = C extends { readonly windowSizes: infer Ws } ? Ws[K & keyof Ws] & Pair : C['windowSize']
type HeadDim<C, K> = C extends { readonly headDims: infer Ds } ? Ds[K & keyof Ds] & number : number
type CountOf<C extends SwinConfig, K> = C extends { readonly windowSizes: unknown } ? NumberOf<K> : C['depths']['length']

/** Where the number of stages is not known to the compiler: some map. */
export interface SomeMap extends ShapeFunction { readonly out: readonly [number, number, number] }
type StagesOf<C extends SwinConfig, Ds extends readonly number[]> = { readonly [K in keyof Ds]: Layer<SwinStage<C, K & string>> }
type AllStages<C extends SwinConfig> = number extends C['depths']['length'] ? SomeMap : Stages<StagesOf<C, C['depths']>>

const allStages = <const C extends SwinConfig>(config: C): Layer<AllStages<C>> => stages(...config.depths.map((_, index) => stage(config, index))) as unknown as Layer<AllStages<C>>

/**
 * Everything of a Swin but its pooling and head. `[height, width, channels] → [rows, columns, dim]`.
 *
 * Errors: those of `patchEmbed`, `patchMerging`, `expectWindows` and `attention`.
 */
export const swinFeatures = <const C extends SwinConfig>(config: C) => {
  const { epsilon = 1e-5 } = config
  return serial(
    named('patch_embed', serial(
      named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] })),
      when(option(config, 'patchNorm', true), named('norm', layerNorm({ epsilon }))),
    )),
    when(option(config, 'absolutePositions', false), absolutePositionEmbed()),
    named('pos_drop', dropout(config.dropout ?? 0)),
    named('layers', allStages(config)),
    named('norm', layerNorm({ epsilon })),
  )
}

/**
 * A Swin as a layer over images. `[height, width, channels] → [numClasses]`; without pooling and head, a map.
 *
 * @example
 * pipe(input(224, 224, 3), swin({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24], windowSize: 7 })) // Model<[224, 224, 3], [1000]>
 */
export const swin = <const C extends SwinConfig>(config: C) => {
  const classes = option(config, 'numClasses', 1000)
  return serial(
    swinFeatures(config),
    when(not(is(option(config, 'pool', 'average'), 'none')), globalPool()),
    named('head_drop', dropout(config.headDropout ?? 0)),
    when(not(is(classes, 0)), named(config.names === 'microsoft' ? 'head' : 'head.fc', linear(classes))),
  )
}

/** A Swin of given sizes as a recipe. */
export const swinRecipe = <const C extends SwinConfig & ImageInput>(config: C, preprocessing: Preprocessing = imagenetPreprocessing): Recipe<ImageModel<C, ReturnType<typeof swin<C>>>> => ({
  family: 'swin',
  source: 'Liu et al., 2021, arXiv 2103.14030; names as timm or microsoft/Swin-Transformer',
  config: { ...config },
  options: swinOptions,
  model: imageModel(config, () => swin(config)),
  preprocessing,
  withConfig: changes => swinRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

const at224 = { imageSize: 224, patchSize: 4, windowSize: 7 } as const
const at384 = { imageSize: 384, patchSize: 4, windowSize: 12 } as const
const [tiny, small] = [{ dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24] }, { dim: 96, depths: [2, 2, 18, 2], numHeads: [3, 6, 12, 24] }] as const
const base = { dim: 128, depths: [2, 2, 18, 2], numHeads: [4, 8, 16, 32] } as const
const large = { dim: 192, depths: [2, 2, 18, 2], numHeads: [6, 12, 24, 48] } as const
const microsoft = { names: 'microsoft' } as const

/** The published Swins, under timm's names and, beginning with `ms_`, under Microsoft's; and our own, trained on Fashion-MNIST. */
export const swinRecipes = {
  swin_tiny_patch4_window7_224: swinRecipe({ ...at224, ...tiny }),
  swin_small_patch4_window7_224: swinRecipe({ ...at224, ...small }),
  swin_base_patch4_window7_224: swinRecipe({ ...at224, ...base }),
  swin_large_patch4_window7_224: swinRecipe({ ...at224, ...large }),
  swin_base_patch4_window12_384: swinRecipe({ ...at384, ...base }),
  swin_large_patch4_window12_384: swinRecipe({ ...at384, ...large }),
  ms_swin_tiny_patch4_window7_224: swinRecipe({ ...at224, ...tiny, ...microsoft }),
  ms_swin_small_patch4_window7_224: swinRecipe({ ...at224, ...small, ...microsoft }),
  ms_swin_base_patch4_window7_224: swinRecipe({ ...at224, ...base, ...microsoft }),
  ms_swin_large_patch4_window7_224: swinRecipe({ ...at224, ...large, ...microsoft }),
  ms_swin_base_patch4_window12_384: swinRecipe({ ...at384, ...base, ...microsoft }),
  ms_swin_large_patch4_window12_384: swinRecipe({ ...at384, ...large, ...microsoft }),
  swin_fashion_mnist: swinRecipe({ imageSize: 28, channels: 1, patchSize: 2, dim: 32, depths: [2, 4], numHeads: [2, 4], windowSize: 7, mlpRatio: 2, numClasses: 10 }, fashionMnistPreprocessing),
} as const

const acts: Readonly<Record<string, Activation>> = { 'gelu(erf)': 'gelu', gelu: 'gelu', gelu_erf: 'gelu', 'gelu(tanh)': 'geluTanh', gelu_tanh: 'geluTanh', relu: 'relu', silu: 'silu' }

/** The keywords both implementations have, and those that only say how to run or train. */
const shared: Readonly<Record<string, Keyword>> = {
  ...imageKeywords,
  patch_size: keyword('pair', (patchSize: Pair) => ({ patchSize })),
  embed_dim: keyword('number', (dim: number) => ({ dim })),
  depths: keyword('numbers', (depths: readonly number[]) => ({ depths })),
  num_heads: keyword('numbers', (numHeads: readonly number[]) => ({ numHeads })),
  qkv_bias: keyword('boolean', (qkvBias: boolean) => ({ qkvBias })),
  norm_eps: keyword('number', (epsilon: number) => ({ epsilon })),
  act: words(acts, activation => ({ activation })),
  ...inertAll(['SwinTransformer'], ['class', 'class_']),
  head: inert('string'),
  resolved: inert('list'),
  ...inertAll('number', ['drop_rate', 'proj_drop_rate', 'attn_drop_rate', 'drop_path_rate']),
  weight_init: inert('string'),
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/** A keyword that may hold one value for all stages or a list of one for each. */
const oneOrEach = (value: unknown, one: Keyword, each: Keyword): Keyword => (isList(value) ? each : one)

/** timm's. It pads whatever does not divide, and reads a list of two windows as one window's height and width. */
const timmKeywords = (config: RawConfig, count: number): Readonly<Record<string, Keyword>> => ({
  ...shared,
  window_size: isList(config['window_size']) && config['window_size'].length !== 2 ? keyword('list', (windowSizes: readonly Pair[]) => ({ windowSizes, windowSize: windowSizes[0] })) : keyword('pair', (windowSize: Pair) => ({ windowSize })),
  mlp_ratio: oneOrEach(config['mlp_ratio'], keyword('number', (mlpRatio: number) => ({ mlpRatio })), keyword('numbers', (mlpRatios: readonly number[]) => ({ mlpRatios }))),
  head_dim: oneOrEach(config['head_dim'], keyword('number', (headDim: number) => ({ headDims: Array<number>(count).fill(headDim) })), keyword('numbers', (headDims: readonly number[]) => ({ headDims }))),
  always_partition: keyword('boolean', (always: boolean) => (always ? { clamp: 'never' } : {})),
  strict_img_size: inert('boolean'),
  global_pool: keyword(['avg', ''], (name: string) => ({ pool: name === 'avg' ? 'average' : 'none' })),
})

/** Microsoft's. It asserts that windows divide. */
const microsoftKeywords: Readonly<Record<string, Keyword>> = {
  ...shared,
  window_size: keyword('number', (windowSize: number) => ({ windowSize })),
  mlp_ratio: keyword('number', (mlpRatio: number) => ({ mlpRatio })),
  qk_scale: keyword('number', (scale: number) => (scale === 0 ? {} : { scale })),
  ape: keyword('boolean', (absolutePositions: boolean) => ({ absolutePositions })),
  patch_norm: keyword('boolean', (patchNorm: boolean) => ({ patchNorm })),
  ...inertAll('boolean', ['use_checkpoint', 'fused_window_process']),
}
/** Both call their class `SwinTransformer`; only Microsoft's has these keywords. */
const isMicrosoft = (config: RawConfig): boolean => ['ape', 'patch_norm', 'qk_scale', 'use_checkpoint', 'fused_window_process'].some(key => key in config)

/** Buffers that recordings hold as outputs, and where they are in ours. */
const buffers = (depths: readonly number[]): Readonly<Record<string, string>> =>
  Object.fromEntries(depths.flatMap((depth, i) => [
    [`relative_position_index.layers.${i}`, `layers.${i}.blocks.0.attn.relative_position_index`],
    ...Array.from({ length: depth }, (_, j) => [`attn_mask.layers.${i}.blocks.${j}`, `layers.${i}.blocks.${j}.attn_mask`]),
  ]))

/**
 * timm halves maps rounding up where it merges, but fits windows and masks to maps halved rounding down. Where that
 * makes a difference, what it computes has no meaning: the number, from 1, of the first such stage.
 */
const unsettledStage = (config: SwinConfig & ImageInput): number | undefined => {
  const [sizes, patches] = [pairOf(config.imageSize), pairOf(config.patchSize)]
  const of = (size: number, window: number): string => (config.clamp !== 'never' && size <= window ? `all ${size}` : `${Math.ceil(size / window)}`)
  const differs = (stage: number, axis: 0 | 1): boolean => {
    const [places, window] = [sizes[axis] / patches[axis] / 2 ** stage, pairOf(windowOf(config, stage))[axis]]
    return of(Math.floor(places), window) !== of(Math.ceil(places), window)
  }
  const found = config.depths.findIndex((_, stage) => differs(stage, 0) || differs(stage, 1))
  return found < 0 ? undefined : found + 1
}

/** The model a reference recording of system `swin` was made by. Errors: those of `readKeywords`; `unsupportedKeyword`. */
export const swinReplica = (config: RawConfig): Either<Problem, Replica> => {
  const theirs = isMicrosoft(config)
  const count = isList(config['depths']) ? config['depths'].length : 0
  const read = readKeywords('swin', config, theirs ? microsoftKeywords : timmKeywords(config, count), ['img_size', 'depths', 'num_heads', 'embed_dim', 'window_size'])
  if (read._tag === 'Left') return read
  const options = { patchSize: 4, ...(theirs ? microsoft : { padding: true }), ...read.right } as SwinConfig & ImageInput
  for (const [name, list] of Object.entries({ num_heads: options.numHeads, window_size: options.windowSizes, mlp_ratio: options.mlpRatios, head_dim: options.headDims }))
    if (list !== undefined && list.length !== count) return left(problem('badKeyword', `swin: '${name}' has ${list.length} entries, but 'depths' has ${count}`))
  const unsettled = theirs ? undefined : unsettledStage(options)
  if (unsettled !== undefined) return unsupported('swin', `at stage ${unsettled}, timm makes windows for a smaller map than the one that arrives, because an odd one was merged`)
  return right({ model: swinRecipe(options).model as unknown as Replica['model'], outputs: buffers(options.depths), preprocessing: imagenetPreprocessing })
}
