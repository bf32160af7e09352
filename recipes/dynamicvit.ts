import { right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, decideTokens, dropout, encoderBlock, fanOut, flattenTokens, keepTokens, layerNorm, linear, named, parallel, patchEmbed, positionEmbed, repeat,
  serial, skipTokens, takeToken, tanh, tokenScores, when,
  type AnyModel, type KeepTokens, type Problem, type TokenScores,
} from '../src/index.js'
import type { AnyLayer, Layer, ShapeFunctionOf } from '../src/layers/core/layer.js'
import { pairOf } from '../src/shape/patches.js'
import type { AnyShapeError } from '../src/shape/shapeError.js'
import type { Apply, ShapeFunction } from '../src/shape/shapeFunction.js'
import { is, not } from './kit/conditions.js'
import { fashionMnistPreprocessing, imageModel, imagenetPreprocessing, onFashionMnist, option, type ImageInput, type ImageModel, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inert, inertAll, keyword, readKeywords, unsupported, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { scaleKeyword, vitKeywords } from './kit/vitKeywords.js'
import { lvvitBlock, lvvitBothHeads, lvvitEmbedding, lvvitHead, lvvitOptions, lvvitPatches, readLvvitConfig, type LvvitConfig } from './lvvit.js'

/*
 * DynamicViT: "Efficient Vision Transformers with Dynamic Token Sparsification" (Rao et al., 2021, arXiv 2106.02034): a
 * DeiT or an LV-ViT that scores its tokens on the way and goes on with the best of them. Names and sizes are the authors'.
 */

/** The options of a DynamicViT: those of its backbone, and where it drops tokens. */
export interface DynamicVitConfig extends LvvitConfig {
  /** Default `deit`, which reads neither `stemDim`, `branchDivisor`, `tokenHead` nor `blockKinds`; its other defaults are those of DeiT. */
  readonly backbone?: 'deit' | 'lvvit'
  /** The blocks before which tokens are dropped, in order. */
  readonly pruneAt: readonly number[]
  /** How many tokens are kept there, beside the class token; see {@link keptTokens}. */
  readonly keep: readonly number[]
  /** Epsilon of the norms in the layers that score tokens (default 1e-5). */
  readonly scoreEpsilon?: number
  /** Channels of a tanh layer before a DeiT's head (default 0: none). */
  readonly preLogits?: number
}

/** What each option may be, for configurations that come from files. */
export const dynamicVitOptions: { readonly [K in keyof Required<DynamicVitConfig & ImageInput>]: Kind } = {
  ...lvvitOptions, backbone: ['deit', 'lvvit'] satisfies readonly DynamicVitConfig['backbone'][], pruneAt: 'numbers', keep: 'numbers', scoreEpsilon: 'number', preLogits: 'number',
}

/**
 * How many of some tokens are kept, stage by stage, if each keeps a share of those before it: `⌊tokens · rateⁱ⌋`.
 *
 * @example
 * keptTokens(196, 0.7, 3) // [137, 96, 67]
 */
export const keptTokens = (tokens: number, rate: number, stages: number): readonly number[] => Array.from({ length: stages }, (_, i) => Math.floor(tokens * rate ** (i + 1)))

const isLvvit = (config: DynamicVitConfig): boolean => config.backbone === 'lvvit'

/** Block `index` of the backbone. */
const block = <const C extends DynamicVitConfig>(config: C, index: number) => {
  if (isLvvit(config)) return lvvitBlock(config, index)
  const { mlpRatio = 4, qkvBias = true, epsilon = 1e-6, attentionScale, dropout = 0, attentionDropout = 0, dropPath = 0 } = config
  const drop = (dropPath * index) / Math.max(1, config.depth - 1)
  return encoderBlock<C['numHeads']>({ numHeads: config.numHeads, mlpRatio, qkvBias, epsilon, ...(attentionScale === undefined ? {} : { attentionScale }), dropout, attentionDropout, dropPath: drop })
}

/** Blocks from one number up to another. */
const blocks = <const C extends DynamicVitConfig>(config: C, from: number, to: number) => named('blocks', repeat(to - from, i => block(config, from + i), { first: from as 0 }))

const scores = (config: DynamicVitConfig, stage: number) => named(`score_predictor.${stage}`, tokenScores({ epsilon: config.scoreEpsilon ?? 1e-5 }))

/** Everything before the blocks. `[height, width, channels] → [tokens, dim]`. */
const embedding = <const C extends DynamicVitConfig>(config: C) => {
  const convolutional = is(option(config, 'backbone', 'deit'), 'lvvit')
  return serial(
    when(convolutional, serial(lvvitPatches(config), lvvitEmbedding(config))),
    when(not(convolutional), serial(
      named('patch_embed', serial(named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] })), flattenTokens())),
      classToken(), positionEmbed(), named('pos_drop', dropout(config.dropout ?? 0)),
    )),
  )
}

/** The blocks before the first tokens are dropped. */
const firstBlocks = <const C extends DynamicVitConfig>(config: C) => {
  const first = config.pruneAt[0] ?? config.depth
  return when((first > 0) as true, blocks(config, 0, Math.max(1, first)))
}

/** Images to what the first tokens are dropped of. `[height, width, channels] → [tokens, dim]`. */
const beginning = <const C extends DynamicVitConfig>(config: C) => serial(embedding(config), firstBlocks(config))

/** Where stage `stage` of blocks ends. */
const endOf = ({ pruneAt, depth }: DynamicVitConfig, stage: number): number => pruneAt[stage + 1] ?? depth

const norm = (config: DynamicVitConfig) => named('norm', layerNorm({ epsilon: config.epsilon ?? (isLvvit(config) ? 1e-5 : 1e-6) }))

const preLogits = <const C extends DynamicVitConfig>(config: C) => {
  const channels = option(config, 'preLogits', 0)
  return when(not(is(channels, 0)), named('pre_logits', serial(named('fc', linear(channels)), tanh())))
}

/** What drops tokens, and the blocks that go on with the others; said at once, since blocks keep the shape. */
type Prunings<K extends readonly number[]> = { readonly [I in keyof K]: Layer<KeepTokens<K[I], TokenScores, 1>> }

const pruned = <const C extends DynamicVitConfig>(config: C) => {
  const dense = is(option(config, 'backbone', 'deit'), 'lvvit')
  const classes = option(config, 'numClasses', 1000)
  const prunings = config.pruneAt.map((at, stage) => serial(keepTokens(config.keep[stage] as number, scores(config, stage), { indices: `keep_idx.${stage}` }), blocks(config, at, endOf(config, stage))))
  return serial(
    beginning(config),
    ...(prunings as readonly AnyLayer[] as unknown as Prunings<C['keep']>),
    norm(config),
    when(dense, lvvitHead(config)),
    when(not(dense), serial(takeToken(0), preLogits(config), when(not(is(classes, 0)), named('head', linear(classes))))),
  )
}

/** The shape function of {@link dynamicVit}; by name, so that a published model's type need not be written out. */
export interface DynamicVit<C extends DynamicVitConfig> extends ShapeFunction {
  readonly out: Apply<ShapeFunctionOf<ReturnType<typeof pruned<C>>>, this['in']>
}

/**
 * A DynamicViT as a layer over images, as it is used: tokens are really dropped, so later blocks have less to do.
 * `[height, width, channels] → [numClasses]`. The numbers of the tokens that stage `i` kept, best first, counted among
 * those before it, can be asked for as `keep_idx.i`. Errors: those of `patchEmbed`, `attention` and `keepTokens`.
 *
 * @example
 * pipe(input(224, 224, 3), dynamicVit({ patchSize: 16, dim: 384, depth: 12, numHeads: 6, pruneAt: [3, 6, 9], keep: [137, 96, 67] })) // Model<[224, 224, 3], [1000]>
 */
export const dynamicVit = <const C extends DynamicVitConfig>(config: C): Layer<DynamicVit<C>> => pruned(config) as AnyLayer as Layer<DynamicVit<C>>

/** What follows the last block in training: the logits of the class token, and what every other token gives. */
const outputs = <const C extends DynamicVitConfig>(config: C) => {
  const dense = is(option(config, 'backbone', 'deit'), 'lvvit')
  const classes = option(config, 'numClasses', 1000)
  return serial(
    norm(config),
    when(dense, lvvitBothHeads(config)),
    when(not(dense), serial(fanOut({ head: serial(takeToken(0), preLogits(config)), tokens: skipTokens(1) }), when(not(is(classes, 0)), parallel({ head: linear(classes) })))),
  )
}

/** The shape function of what follows the first blocks in training: what `F` gives, and the decisions of each stage. */
interface Decides<At extends readonly number[], F extends ShapeFunction, N extends number> extends ShapeFunction {
  readonly out: Apply<F, this['in']> extends infer O ? (O extends AnyShapeError ? O : With<At, O, N>) : never
}
type With<At extends readonly number[], O, N extends number> = { readonly [K in keyof O | Stage<At>]: K extends keyof O ? O[K] : readonly [N] }
type Stage<At extends readonly number[]> = `keep_${keyof At & `${number}`}`

/** The shape function of the training form: decisions are on all tokens but the class token. */
interface Trained<C extends DynamicVitConfig> extends ShapeFunction {
  readonly out: this['in'] extends readonly [number, number] ? Apply<Decides<C['pruneAt'], ShapeFunctionOf<ReturnType<typeof outputs<C>>>, PatchesOf<this['in']>>, this['in']> : never
}
type PatchesOf<S> = Apply<ShapeFunctionOf<ReturnType<typeof skipTokens<1>>>, S> extends readonly [infer N extends number, number] ? N : number

/** The shape function of {@link dynamicVitTraining}. */
export interface DynamicVitTraining<C extends DynamicVitConfig> extends ShapeFunction {
  readonly out: Apply<Trained<C>, Apply<ShapeFunctionOf<ReturnType<typeof beginning<C>>>, this['in']>>
}

/**
 * A DynamicViT as a layer over images, as it is trained: no token is dropped, but what a decision drops no longer counts,
 * and gradients reach the scores. The weights are those of `dynamicVit`. `[height, width, channels] →
 * { head: [numClasses], tokens: [tokens, dim], keep_0: [tokens], … }`, on an LV-ViT with `aux_head: [tokens, numClasses]`
 * in place of `tokens`. `losses.pruned` is its loss.
 *
 * @example
 * pipe(input(224, 224, 3), dynamicVitTraining({ patchSize: 16, dim: 384, depth: 12, numHeads: 6, pruneAt: [3, 6], keep: [137, 96], numClasses: 10 })) // Model<[224, 224, 3], { head: [10], tokens: [196, 384], keep_0: [196], keep_1: [196] }>
 */
export const dynamicVitTraining = <const C extends DynamicVitConfig>(config: C): Layer<DynamicVitTraining<C>> => {
  const from = (stage: number): AnyLayer =>
    stage === config.pruneAt.length ? outputs(config) : decideTokens(`keep_${stage}`, scores(config, stage), serial(blocks(config, config.pruneAt[stage] as number, endOf(config, stage)), from(stage + 1)))
  return serial(beginning(config), from(0)) as AnyLayer as Layer<DynamicVitTraining<C>>
}

/** A DynamicViT of given sizes as a recipe. */
export const dynamicVitRecipe = <const C extends DynamicVitConfig & ImageInput>(config: C, preprocessing: Preprocessing = imagenetPreprocessing): Recipe<ImageModel<C, ReturnType<typeof dynamicVit<C>>>> => ({
  family: 'dynamicvit',
  source: 'Rao et al., 2021, arXiv 2106.02034; sizes and names as the authors',
  config: { ...config },
  options: dynamicVitOptions,
  model: imageModel(config, () => dynamicVit(config)),
  preprocessing,
  forms: { pruning: () => imageModel(config, () => dynamicVitTraining(config)) as unknown as AnyModel },
  withConfig: changes => dynamicVitRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

const patches = { imageSize: 224, patchSize: 16 } as const
/** Of 196 patches 0.7, then 0.49, then 0.343. */
const onDeit = { ...patches, depth: 12, pruneAt: [3, 6, 9], keep: [137, 96, 67] } as const
const onLvvit = { ...patches, backbone: 'lvvit', branchDivisor: 2, keep: [137, 96, 67] } as const

/** The published DynamicViTs, which keep 0.7 of the tokens three times. */
export const dynamicvitRecipes = {
  'dynamicvit_deit_s_0.7': dynamicVitRecipe({ ...onDeit, dim: 384, numHeads: 6 }),
  'dynamicvit_deit_256_0.7': dynamicVitRecipe({ ...onDeit, dim: 256, numHeads: 4 }),
  'dynamicvit_deit_b_0.7': dynamicVitRecipe({ ...onDeit, dim: 768, numHeads: 12 }),
  'dynamicvit_lvvit_s_0.7': dynamicVitRecipe({ ...onLvvit, dim: 384, depth: 16, numHeads: 6, pruneAt: [4, 8, 12] }),
  'dynamicvit_lvvit_m_0.7': dynamicVitRecipe({ ...onLvvit, dim: 512, depth: 20, numHeads: 8, pruneAt: [5, 10, 15] }),
  /** Our own, with weights trained on Fashion-MNIST; of 49 patches it keeps 34, then 24. */
  dynamicvit_fashion_mnist: dynamicVitRecipe({ ...onFashionMnist, pruneAt: [2, 4], keep: [34, 24], numClasses: 10 }, fashionMnistPreprocessing),
} as const

/** Keywords that both backbones have beside those of their own. */
const pruning: Readonly<Record<string, Keyword>> = {
  pruning_loc: keyword('numbers', (pruneAt: readonly number[]) => ({ pruneAt: [...pruneAt].sort((a, b) => a - b) })),
  token_ratio: keyword('numbers', (ratios: readonly number[]) => ({ ratios })),
  predictor_norm_eps: keyword('number', (scoreEpsilon: number) => ({ scoreEpsilon })),
  // It follows from the ratios.
  num_keep: inert('numbers'),
  ...inertAll('boolean', ['distill', 'viz_mode']),
}

/** The keywords of the reference's `VisionTransformerDiffPruning`, and what it takes where one is absent. */
const deitKeywords: Readonly<Record<string, Keyword>> = {
  ...vitKeywords,
  ...scaleKeyword,
  representation_size: keyword('number', (preLogits: number) => ({ preLogits })),
  ...inertAll('number', ['drop_rate', 'attn_drop_rate', 'drop_path_rate']),
  class: inert('string'),
}
const absent = { backbone: 'deit', imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 12 } as const

/** Words by which configurations of an LV-ViT are known. */
const lvvitWords = ['p_emb', 'skip_lam', 'return_dense', 'mix_token', 'head_dim', 'order', 'bn_eps']

const readConfig = (config: RawConfig): Either<Problem, DynamicVitConfig & ImageInput & { readonly ratios: readonly number[] }> => {
  const onLvvit = lvvitWords.some(word => Object.hasOwn(config, word))
  if (!onLvvit && (config['hybrid_backbone'] ?? null) !== null) return unsupported('dynamicvit', "'hybrid_backbone' is not supported; patches come from the image")
  const read = onLvvit ? readLvvitConfig('dynamicvit', config, pruning) : readKeywords('dynamicvit', { ...config, hybrid_backbone: null }, { ...deitKeywords, ...pruning, hybrid_backbone: inert('string') }, ['pruning_loc', 'token_ratio'])
  if (read._tag === 'Left') return read
  return right({ ...(onLvvit ? { backbone: 'lvvit' } : absent), ...read.right } as DynamicVitConfig & ImageInput & { readonly ratios: readonly number[] })
}

/** The model a reference recording of system `dynamicvit` was made by. */
export const dynamicvitReplica = (config: RawConfig): Either<Problem, Replica> => {
  const read = readConfig(config)
  if (read._tag === 'Left') return read
  const { ratios = [], ...options } = read.right
  const at = options.pruneAt ?? []
  if (at.length === 0 || ratios.length < at.length) return unsupported('dynamicvit', "'token_ratio' must say how many tokens are kept at each place of 'pruning_loc'")
  if (at.some((place, i) => !Number.isInteger(place) || place < 0 || place >= options.depth || place === at[i - 1])) return unsupported('dynamicvit', `'pruning_loc' must be different blocks of the ${options.depth} there are, got ${at.join(', ')}`)
  if (isLvvit(options) && options.tokenHead === false) return unsupported('dynamicvit', "'return_dense' must be true: the reference always reads its second head")
  const [[height, width], [patchHeight, patchWidth]] = [pairOf(options.imageSize), pairOf(options.patchSize)]
  const tokens = Math.floor(height / patchHeight) * Math.floor(width / patchWidth)
  // Ratios are of all patches; what is no longer there cannot be kept.
  const keep = at.reduce<readonly number[]>((kept, _, i) => [...kept, Math.min(kept.at(-1) ?? tokens, Math.floor(tokens * ratios[i]!))], [])
  const outputs = Object.fromEntries(at.map((_, i) => [`keep_idx.${i}`, `keep_idx.${i}`]))
  return right({ model: dynamicVitRecipe({ ...options, keep }).model as unknown as Replica['model'], outputs, preprocessing: imagenetPreprocessing })
}
