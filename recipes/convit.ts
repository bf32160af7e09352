import { left, right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, dropPath, dropout, flattenTokens, gatedPositionalAttention, globalPool, layerNorm, linear, mlp, named, patchEmbed, positionEmbed, repeat,
  residual, selfAttention, serial, skipTokens, takeToken, when,
  type Problem,
} from '../src/index.js'
import type { AnyLayer } from '../src/layers/core/layer.js'
import type { Pair } from '../src/shape/patches.js'
import { problem } from '../src/shape/problem.js'
import { both, is, isLess, least, minus, not } from './kit/conditions.js'
import { fashionMnistPreprocessing, imageModel, imagenetPreprocessing, onFashionMnist, option, type Field, type ImageInput, type ImageModel, type Preprocessing, type Recipe, type Replica } from './kit/recipe.js'
import { inert, inertAll, keyword, readKeywords, unsupported, words, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { vitKeywords } from './kit/vitKeywords.js'

/*
 * ConViT: "ConViT: Improving Vision Transformers with Soft Convolutional Inductive Biases" (d'Ascoli et al.,
 * 2021, arXiv 2103.10697): attention that begins as a convolution in the first blocks, on patches only; the
 * class token joins before the first of the others, and gets no position. Names and sizes are timm's.
 */

/** The options of a ConViT. */
export interface ConvitConfig {
  readonly patchSize: Pair
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  /** Blocks with gated positional attention; if that is all of them, the class token never joins (default 10). */
  readonly localLayers?: number
  readonly localityStrength?: number
  /** Rows and columns of patches; needed where they are no square. */
  readonly grid?: readonly [number, number]
  /** 0 leaves out the head (default 1000). */
  readonly numClasses?: number
  readonly mlpRatio?: number
  readonly qkvBias?: boolean
  /** Whether patches get a learned position (default true). */
  readonly positions?: boolean
  /** `average` leaves out the first token, class token or not, as the reference does. */
  readonly pool?: 'token' | 'average' | 'none'
  readonly epsilon?: number
  /** Rates that act in training only; `dropPath` grows linearly from 0 over the blocks. */
  readonly positionDropout?: number
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly headDropout?: number
  readonly dropPath?: number
}

/** What each option may be, for configurations that come from files. */
export const convitOptions: { readonly [K in keyof Required<ConvitConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'pair', dim: 'number', depth: 'number', numHeads: 'number', localLayers: 'number', localityStrength: 'number',
  grid: 'pair', numClasses: 'number', mlpRatio: 'number', qkvBias: 'boolean', positions: 'boolean',
  pool: ['token', 'average', 'none'] satisfies readonly ConvitConfig['pool'][], epsilon: 'number',
  positionDropout: 'number', dropout: 'number', attentionDropout: 'number', headDropout: 'number', dropPath: 'number',
}

/** One block around an attention: `x + attention(norm(x))`, then `x + mlp(norm(x))`. */
const block = <L extends AnyLayer>(config: ConvitConfig, index: number, attention: L) => {
  const { mlpRatio = 4, epsilon = 1e-6, dropout = 0, dropPath: rate = 0 } = config
  const drop = (rate * index) / Math.max(1, config.depth - 1)
  return serial(
    residual(serial(named('norm1', layerNorm({ epsilon })), attention, named('drop_path1', dropPath(drop)))),
    residual(serial(named('norm2', layerNorm({ epsilon })), mlp({ mlpRatio, dropout }), named('drop_path2', dropPath(drop)))),
  )
}

const localBlock = <const C extends ConvitConfig>(config: C, index: number) => {
  const { qkvBias = false, localityStrength = 1, dropout = 0, attentionDropout = 0, grid } = config
  const onGrid = (grid === undefined ? {} : { grid }) as { readonly grid: GridOf<C> }
  return block(config, index, gatedPositionalAttention<C['numHeads'], GridOf<C>[0], GridOf<C>[1]>({ numHeads: config.numHeads, qkvBias, localityStrength, attentionDropout, projDropout: dropout, ...onGrid }))
}
/** 0×0 where no grid is given, as `gatedPositionalAttention` has it. */
type GridOf<C> = Field<C, 'grid', readonly [0, 0]> & readonly [number, number]

const globalBlock = <const C extends ConvitConfig>(config: C, index: number) => {
  const { qkvBias = false, dropout = 0, attentionDropout = 0 } = config
  return block(config, index, selfAttention({ numHeads: config.numHeads as C['numHeads'], qkvBias, attentionDropout, projDropout: dropout }))
}

/**
 * Everything of a ConViT but its pooling and head. `[height, width, channels] → [tokens, dim]`.
 *
 * Errors: those of `patchEmbed`, `gatedPositionalAttention` and `attention`.
 */
export const convitTokens = <const C extends ConvitConfig>(config: C) => {
  const local = option(config, 'localLayers', 10)
  const joins = isLess(local, config.depth as C['depth'])
  return serial(
    named('patch_embed', serial(named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] })), flattenTokens())),
    when(option(config, 'positions', true), positionEmbed()),
    named('pos_drop', dropout(config.positionDropout ?? 0)),
    when(isLess(0, local), repeat(least(local, config.depth as C['depth']), index => localBlock(config, index))),
    when(joins, serial(classToken(), named('blocks', repeat(minus(config.depth as C['depth'], local), index => globalBlock(config, local + index), { first: local })))),
    named('norm', layerNorm({ epsilon: config.epsilon ?? 1e-6 })),
    // Checkpoints hold a class token even where none ever joins.
    when(not(joins), serial(classToken(), skipTokens(1))),
  )
}

/** Pooling and head of a ConViT. `[tokens, dim] → [numClasses]`. */
export const convitHead = <const C extends ConvitConfig>(config: C) => {
  const pool = option(config, 'pool', 'token')
  const classes = option(config, 'numClasses', 1000)
  return serial(
    when(is(pool, 'token'), takeToken(0)),
    when(both(not(is(pool, 'token')), not(is(pool, 'none'))), globalPool({ prefixTokens: 1 })),
    named('head_drop', dropout(config.headDropout ?? 0)),
    when(not(is(classes, 0)), named('head', linear(classes))),
  )
}

/**
 * A ConViT as a layer over images. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), convit({ patchSize: 16, dim: 192, depth: 12, numHeads: 4 })) // Model<[224, 224, 3], [1000]>
 */
export const convit = <const C extends ConvitConfig>(config: C) => serial(convitTokens(config), convitHead(config))

/** A ConViT of given sizes as a recipe. */
export const convitRecipe = <const C extends ConvitConfig & ImageInput>(config: C, preprocessing: Preprocessing = imagenetPreprocessing): Recipe<ImageModel<C, ReturnType<typeof convit<C>>>> => ({
  family: 'convit',
  source: "d'Ascoli et al., 2021, arXiv 2103.10697; sizes and names as timm",
  config: { ...config },
  options: convitOptions,
  model: imageModel(config, () => convit(config)),
  preprocessing,
  withConfig: changes => convitRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

/** The published ConViTs: 48 channels a head. */
export const convitRecipes = {
  convit_tiny: convitRecipe({ imageSize: 224, patchSize: 16, dim: 192, depth: 12, numHeads: 4 }),
  convit_small: convitRecipe({ imageSize: 224, patchSize: 16, dim: 432, depth: 12, numHeads: 9 }),
  convit_base: convitRecipe({ imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 16 }),
  /** Our own, with weights trained on Fashion-MNIST. */
  convit_fashion_mnist: convitRecipe({ ...onFashionMnist, localLayers: 4, numClasses: 10 }, fashionMnistPreprocessing),
} as const

const pools: Readonly<Record<string, ConvitConfig['pool']>> = { token: 'token', avg: 'average', '': 'none' }

/** The keywords of timm's `ConVit`, whose `embed_dim` is that of one head. */
const keywords: Readonly<Record<string, Keyword>> = {
  ...vitKeywords,
  global_pool: words(pools, pool => ({ pool })),
  embed_dim: keyword('number', (headDim: number) => ({ headDim })),
  embed_dim_per_head: keyword('number', (headDim: number) => ({ headDim })),
  local_up_to_layer: keyword('number', (localLayers: number) => ({ localLayers })),
  locality_strength: keyword('number', (localityStrength: number) => ({ localityStrength })),
  use_pos_embed: keyword('boolean', (positions: boolean) => ({ positions })),
  ...inertAll('number', ['drop_rate', 'pos_drop_rate', 'proj_drop_rate', 'attn_drop_rate', 'drop_path_rate']),
  ...inertAll('string', ['class', 'class_', 'note_embed_dim']),
}

/** What the reference takes where a keyword is absent. */
const absent = { imageSize: 224, patchSize: 16, headDim: 768, depth: 12, numHeads: 12, localLayers: 3 } as const

/** The model a reference recording of system `convit` was made by. */
export const convitReplica = (config: RawConfig): Either<Problem, Replica> => {
  if ((config['hybrid_backbone'] ?? null) !== null) return unsupported('convit', "'hybrid_backbone' is not supported; patches come from the image")
  const read = readKeywords('convit', { ...config, hybrid_backbone: null }, { ...keywords, hybrid_backbone: inert('string') }, [])
  if (read._tag === 'Left') return read
  const { headDim, ...options } = { ...absent, ...read.right } as ConvitConfig & ImageInput & { readonly headDim: number }
  if ((options.localLayers ?? 0) < 0) return left(problem('badKeyword', `convit: 'local_up_to_layer' must be 0 or more, got ${options.localLayers}`))
  const recipe = convitRecipe({ ...options, dim: headDim * options.numHeads })
  const weights = Object.fromEntries(Array.from({ length: options.depth }, (_, i) => [`gpsa_attn_block${i}`, `blocks.${i}.attn.weights`]))
  return right({ model: recipe.model as unknown as Replica['model'], outputs: { ...weights, tokens: 'norm', rel_indices: 'blocks.0.attn.rel_indices' }, preprocessing: imagenetPreprocessing })
}
