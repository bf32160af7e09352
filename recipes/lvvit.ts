import { right, type Either } from 'fp-ts/lib/Either.js'
import {
  batchNorm, classToken, conv2d, dropPath, dropout, encoderBlock, fanOut, flattenTokens, globalPool, layerNorm, linear, merge, mixTokens, mlp, named, parallel,
  patchEmbed, positionEmbed, relu, repeat, residual, scale, selfAttention, serial, skipTokens, takeToken, tap, unnamed, when,
  type Problem, type SplitsIntoHeads,
} from '../src/index.js'
import type { AnyLayer, Layer, ShapeFunctionOf } from '../src/layers/core/layer.js'
import type { DivMod } from '../src/shape/natural.js'
import { model, type AnyModel } from '../src/layers/core/model.js'
import { pairOf, type Pair } from '../src/shape/patches.js'
import type { Apply, ShapeFunction } from '../src/shape/shapeFunction.js'
import { is, not } from './kit/conditions.js'
import { imageModel, imagenetPreprocessing, option, type ImageInput, type ImageModel, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inert, inertAll, keyword, readKeywords, unsupported, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { scaleKeyword, vitKeywords } from './kit/vitKeywords.js'

/*
 * LV-ViT: "All Tokens Matter: Token Labeling for Training Better Vision Transformers" (Jiang et al., 2021, arXiv
 * 2104.10858): a ViT on patches of a small convolutional network, with scaled residual branches and a second head that
 * gives every token a class. Names and sizes are the authors'.
 */

/** What a block is: attention and MLP, or one of them alone. */
export type LvvitBlockKind = 'both' | 'attention' | 'mlp'

/** The options of an LV-ViT. */
export interface LvvitConfig {
  readonly patchSize: Pair
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  /** Channels of the convolutions before the patches (default 64); 0: the patches are those of the image. */
  readonly stemDim?: number
  /** What residual branches are divided by (default 1). */
  readonly branchDivisor?: number
  /** Whether there is a head for all tokens, half of whose largest logits are added to those of the class token (default true). */
  readonly tokenHead?: boolean
  /** What each block is (default: attention and MLP in all); as many as `depth`. */
  readonly blockKinds?: readonly LvvitBlockKind[]
  /** 0 leaves out the heads (default 1000). */
  readonly numClasses?: number
  /** Default 3. */
  readonly mlpRatio?: number
  readonly qkvBias?: boolean
  /** What attention scores are multiplied by (default `1/√(dim/numHeads)`). */
  readonly attentionScale?: number
  readonly epsilon?: number
  readonly batchNormEpsilon?: number
  /** Rates that act in training only; `dropPath` grows linearly from 0 over the blocks. */
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
}

/** What each option may be, for configurations that come from files. */
export const lvvitOptions: { readonly [K in keyof Required<LvvitConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'pair', dim: 'number', depth: 'number', numHeads: 'number', stemDim: 'number', branchDivisor: 'number', tokenHead: 'boolean',
  blockKinds: 'list', numClasses: 'number', mlpRatio: 'number', qkvBias: 'boolean', attentionScale: 'number', epsilon: 'number', batchNormEpsilon: 'number', dropout: 'number', attentionDropout: 'number', dropPath: 'number',
}

type Half<N extends number> = DivMod<N, 2>[0]
/** A patch of the halved image. */
type Halves<P extends Pair> = P extends readonly [infer A extends number, infer B extends number] ? readonly [Half<A>, Half<B>] : P extends number ? Half<P> : never

const halves = <const P extends Pair>(patchSize: P): Halves<P> => (typeof patchSize === 'number' ? Math.floor(patchSize / 2) : patchSize.map(size => Math.floor(size / 2))) as Halves<P>

/** Convolution, norm and activation, under the authors' numbers. */
const convolved = <const D extends number, const K extends number, const S extends number, const P extends number>(number: number, dim: D, kernelSize: K, stride: S, padding: P, epsilon: number) =>
  serial(named(`conv${number}`, conv2d({ dim, kernelSize, stride, padding, bias: false })), named(`bn${number}`, batchNorm({ epsilon })), relu())

const patchMap = <const C extends LvvitConfig>(config: C) => {
  const { batchNormEpsilon: epsilon = 1e-5 } = config
  const stemDim = option(config, 'stemDim', 64)
  const dim = config.dim as C['dim']
  const whole = is(stemDim, 0)
  return named('patch_embed', serial(
    when(whole, named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim }))),
    when(not(whole), serial(
      convolved(1, stemDim, 7, 2, 3, epsilon), convolved(2, stemDim, 3, 1, 1, epsilon), convolved(3, stemDim, 3, 1, 1, epsilon),
      named('proj', patchEmbed({ patchSize: halves(config.patchSize as C['patchSize']), dim })),
    )),
  ))
}

/** The shape function of {@link lvvitPatches}; by name, so that types made of it need not be written out. */
export interface LvvitPatches<C extends LvvitConfig> extends ShapeFunction {
  readonly out: Apply<ShapeFunctionOf<ReturnType<typeof patchMap<C>>>, this['in']>
}

/**
 * The patches of an LV-ViT: three convolutions, the first of which halves the image, and patches of what they give.
 * `[height, width, channels] → [rows, columns, dim]`. Errors: those of `patchEmbed`.
 */
export const lvvitPatches = <const C extends LvvitConfig>(config: C): Layer<LvvitPatches<C>> => patchMap(config) as AnyLayer as Layer<LvvitPatches<C>>

/** Block `index` of an LV-ViT. `[tokens, dim] → [tokens, dim]`. Errors: those of `attention`. */
export const lvvitBlock = <const C extends LvvitConfig>(config: C, index: number): Layer<SplitsIntoHeads<C['numHeads']>> => {
  const { numHeads, mlpRatio = 3, qkvBias = false, epsilon = 1e-5, attentionScale, branchDivisor = 1, blockKinds, dropout = 0, attentionDropout = 0, dropPath: rate = 0 } = config
  const drop = (rate * index) / Math.max(1, config.depth - 1)
  const kind = blockKinds?.[index] ?? 'both'
  if (kind === 'both') return encoderBlock<C['numHeads']>({ numHeads, mlpRatio, qkvBias, epsilon, ...(attentionScale === undefined ? {} : { attentionScale }), ...(branchDivisor === 1 ? {} : { branchDivisor }), dropout, attentionDropout, dropPath: drop })
  // A branch that stands alone also sees its input multiplied by the divisor.
  const alone = (norm: string, branch: AnyLayer): AnyLayer =>
    residual(serial(scale(branchDivisor), named(norm, layerNorm({ epsilon })), branch, named('drop_path', dropPath(drop)), scale(1 / branchDivisor)))
  const branch = kind === 'attention' ? alone('norm1', selfAttention({ numHeads, qkvBias, ...(attentionScale === undefined ? {} : { scale: attentionScale }), attentionDropout, projDropout: dropout })) : alone('norm2', mlp({ mlpRatio, dropout }))
  return branch as Layer<SplitsIntoHeads<C['numHeads']>>
}

/** What stands before the blocks: a class token and positions. `[rows, columns, dim] → [tokens, dim]`. */
export const lvvitEmbedding = (config: LvvitConfig) => serial(flattenTokens(), classToken(), positionEmbed(), named('pos_drop', dropout(config.dropout ?? 0)))

/** A map of patches to normalised tokens, the class token first. `[rows, columns, dim] → [tokens, dim]`. */
const trunk = <const C extends LvvitConfig>(config: C) =>
  serial(lvvitEmbedding(config), repeat(config.depth as C['depth'], index => lvvitBlock(config, index)), named('norm', layerNorm({ epsilon: config.epsilon ?? 1e-5 })))

/** The logits of the class token and of every other one, apart. `[tokens, dim] → { head: [numClasses], aux_head: [tokens − 1, numClasses] }`. */
export const lvvitBothHeads = <const C extends LvvitConfig>(config: C) => {
  const classes = option(config, 'numClasses', 1000)
  return serial(
    fanOut({ head: takeToken(0), aux_head: skipTokens(1) }),
    when(not(is(classes, 0)), parallel({ head: linear(classes), aux_head: tap('x_aux', linear(classes)) })),
  )
}

/**
 * The head of an LV-ViT as it is evaluated: the logits of the class token, and half the largest of the other tokens in
 * each class. `[tokens, dim] → [numClasses]`.
 */
export const lvvitHead = <const C extends LvvitConfig>(config: C) => {
  const classes = option(config, 'numClasses', 1000)
  const tokens = option(config, 'tokenHead', true)
  return serial(
    when(tokens, serial(lvvitBothHeads(config), parallel({ aux_head: serial(globalPool({ kind: 'max' }), scale(0.5)) }), merge('add'))),
    when(not(tokens), serial(named('head', takeToken(0)), when(not(is(classes, 0)), named('head', linear(classes))))),
  )
}

/**
 * An LV-ViT as a layer over images. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), lvvit({ patchSize: 16, dim: 240, depth: 12, numHeads: 4 })) // Model<[224, 224, 3], [1000]>
 */
export const lvvit = <const C extends LvvitConfig>(config: C) => serial(lvvitPatches(config), trunk(config), lvvitHead(config))

/**
 * An LV-ViT as a layer over images, as it is trained: MixToken, and the logits of the class token and of every other one
 * apart. `{ x: [height, width, channels], inside: [rows, columns] } → { head: [numClasses], aux_head: [tokens, numClasses],
 * inside: [rows, columns] }`; `inside` is the box of `mixing.boxMask`, in patches. `losses.tokenLabelling` is its loss.
 *
 * @example
 * pipe(inputs({ x: input(224, 224, 3), inside: input(14, 14) }), lvvitTraining({ patchSize: 16, dim: 240, depth: 12, numHeads: 4 })) // Model<{ x: [224, 224, 3], inside: [14, 14] }, { head: [1000], aux_head: [196, 1000], inside: [14, 14] }>
 */
export const lvvitTraining = <const C extends LvvitConfig>(config: C) =>
  serial(parallel({ x: unnamed(lvvitPatches(config)) }), mixTokens(serial(trunk(config), lvvitBothHeads(config)), { restore: 'aux_head' }))

const trainingModel = <const C extends LvvitConfig & ImageInput>(config: C): AnyModel => {
  const [[height, width], [patchHeight, patchWidth]] = [pairOf(config.imageSize), pairOf(config.patchSize)]
  const inside = [Math.floor(height / patchHeight), Math.floor(width / patchWidth)]
  return model({ fields: { x: { shape: [height, width, config.channels ?? 3], dtype: 'float32' }, inside: { shape: inside, dtype: 'float32' } } }, [lvvitTraining(config)])
}

/** An LV-ViT of given sizes as a recipe. */
export const lvvitRecipe = <const C extends LvvitConfig & ImageInput>(config: C, preprocessing: Preprocessing = imagenetPreprocessing): Recipe<ImageModel<C, ReturnType<typeof lvvit<C>>>> => ({
  family: 'lvvit',
  source: 'Jiang et al., 2021, arXiv 2104.10858; sizes and names as the authors',
  config: { ...config },
  options: lvvitOptions,
  model: imageModel(config, () => lvvit(config)),
  preprocessing,
  ...(config.tokenHead === false ? {} : { forms: { tokenLabelling: () => trainingModel(config) } }),
  withConfig: changes => lvvitRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

const uncropped: Preprocessing = { ...imagenetPreprocessing, crop: 1 }
const patches = { imageSize: 224, patchSize: 16 } as const

/** The published LV-ViTs. */
export const lvvitRecipes = {
  lvvit_t: lvvitRecipe({ ...patches, dim: 240, depth: 12, numHeads: 4 }),
  lvvit_s: lvvitRecipe({ ...patches, dim: 384, depth: 16, numHeads: 6, branchDivisor: 2 }),
  lvvit_m: lvvitRecipe({ ...patches, dim: 512, depth: 20, numHeads: 8, branchDivisor: 2 }, uncropped),
  lvvit_l: lvvitRecipe({ ...patches, dim: 768, depth: 24, numHeads: 12, stemDim: 128, branchDivisor: 3 }, uncropped),
} as const

const blockNames: Readonly<Record<string, LvvitBlockKind>> = { tr: 'both', mha: 'attention', ffn: 'mlp' }
const stems: Readonly<Record<string, number>> = { '4_2': 64, '4_2_128': 128 }

/** The keywords of the reference's `LV_ViT`, but for those that {@link readLvvitConfig} looks at itself. */
const keywords: Readonly<Record<string, Keyword>> = {
  ...vitKeywords,
  ...scaleKeyword,
  skip_lam: keyword('number', (branchDivisor: number) => ({ branchDivisor })),
  order: keyword('list', (order: readonly string[]) => ({ blockKinds: order.map(name => blockNames[name]), depth: order.length })),
  return_dense: keyword('boolean', (tokenHead: boolean) => ({ tokenHead })),
  bn_eps: keyword('number', (batchNormEpsilon: number) => ({ batchNormEpsilon })),
  ...inertAll('number', ['drop_rate', 'attn_drop_rate', 'drop_path_rate']),
  mix_token: inert('boolean'),
  drop_path_decay: inert('string'),
  class: inert('string'),
}

/** What the reference takes where a keyword is absent. */
const absent = { imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 12, mlpRatio: 4, tokenHead: false } as const

/**
 * Reads a configuration in the reference's keywords, and those of a descendant. Errors: `unknownKeyword`, `badKeyword`,
 * `unsupportedKeyword`.
 */
export const readLvvitConfig = (system: string, config: RawConfig, more: Readonly<Record<string, Keyword>> = {}): Either<Problem, LvvitConfig & ImageInput> => {
  const { p_emb: stem = '4_2', hybrid_backbone: backbone = null, head_dim: headDim = null, ...others } = config
  const read = readKeywords(system, others, { ...keywords, ...more }, [])
  if (read._tag === 'Left') return read
  // Any other word than those two means patches of the image.
  const options: LvvitConfig & ImageInput = { ...absent, ...read.right, stemDim: stems[String(stem)] ?? 0 }
  const perHead = Math.floor(options.dim / options.numHeads)
  if (backbone !== null) return unsupported(system, "'hybrid_backbone' is not supported; patches come from the image")
  if (headDim !== null && headDim !== perHead) return unsupported(system, `'head_dim' is not supported; heads have ${perHead} of ${options.dim} channels`)
  if (options.blockKinds?.includes(undefined as never) === true) return unsupported(system, `'order' may hold ${Object.keys(blockNames).map(name => `'${name}'`).join(', ')} only`)
  if (config['mix_token'] === true && !options.tokenHead) return unsupported(system, "'mix_token' needs 'return_dense'")
  return right(options)
}

/** The outputs of the reference that are inner outputs of ours. */
export const lvvitOutputs = ({ tokenHead = true, numClasses = 1000 }: LvvitConfig): Readonly<Record<string, string>> => ({ x_cls: 'head', tokens: 'norm', ...(tokenHead && numClasses > 0 ? { x_aux: 'x_aux' } : {}) })

/** The model a reference recording of system `lvvit` was made by. */
export const lvvitReplica = (config: RawConfig): Either<Problem, Replica> => {
  const read = readLvvitConfig('lvvit', config)
  if (read._tag === 'Left') return read
  return right({ model: lvvitRecipe(read.right).model as unknown as Replica['model'], outputs: lvvitOutputs(read.right), preprocessing: imagenetPreprocessing })
}
