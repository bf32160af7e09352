import { right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, distillationToken, dropout, encoderBlock, flattenTokens, globalPool, hideTokens, identity, layerNorm, linear, named, patchEmbed, positionEmbed,
  registerTokens, repeat, serial, skipTokens, takeToken, tanh, tokenDropout, when,
  type Activation, type AnyLayer, type AnyModel, type PositionKind, type Problem,
} from '../src/index.js'
import { pairOf, type Pair } from '../src/shape/patches.js'
import { both, is, not } from './kit/conditions.js'
import { fashionMnistPreprocessing, imageModel, inceptionPreprocessing, onFashionMnist, option, type ImageInput, type ImageModel, type Preprocessing, type Pretexts, type Recipe, type Replica } from './kit/recipe.js'
import { inertAll, keyword, readKeywords, words, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { vitKeywords } from './kit/vitKeywords.js'

/*
 * ViT: "An Image is Worth 16x16 Words" (Dosovitskiy et al., 2020, arXiv 2010.11929), with what its
 * descendants changed as options: mean pooling (Beyer et al., 2022), LayerScale and positions on patches
 * only (DeiT III), registers (Darcet et al., 2023), a distillation token (DeiT). Names and sizes are timm's.
 */

/** The options of a ViT. Every one but the first four has the paper's value as its default. */
export interface VitConfig {
  readonly patchSize: Pair
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  /** 0 leaves out the head (default 1000). */
  readonly numClasses?: number
  readonly mlpRatio?: number
  readonly qkvBias?: boolean
  readonly projBias?: boolean
  readonly mlpBias?: boolean
  readonly qkNorm?: boolean
  readonly classToken?: boolean
  readonly distilled?: boolean
  readonly registers?: number
  readonly positions?: PositionKind
  /** Whether class token and registers get positions too (default true; false in DeiT III and DINOv2 with registers). */
  readonly prefixPositions?: boolean
  readonly pool?: 'token' | 'average' | 'max' | 'averageMax' | 'none'
  /** Whether pooling counts class token and registers (default false). */
  readonly poolPrefix?: boolean
  /** A norm before the blocks (default false); the patch projection then has no bias. */
  readonly preNorm?: boolean
  /** Whether the last norm comes after pooling rather than before (default: unless a token is taken). */
  readonly normAfterPool?: boolean
  readonly finalNorm?: boolean
  readonly layerScale?: number
  /** Channels of a tanh layer before the head, as the ImageNet-21k weights have (default 0: none). */
  readonly preLogits?: number
  readonly epsilon?: number
  readonly activation?: Activation
  readonly normPlacement?: 'pre' | 'post'
  /** Rates that act in training only; `dropPath` grows linearly from 0 over the blocks. */
  readonly dropout?: number
  readonly tokenDropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
}

/** What each option may be, for configurations that come from files. */
export const vitOptions: { readonly [K in keyof Required<VitConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', patchSize: 'pair', dim: 'number', depth: 'number', numHeads: 'number', numClasses: 'number', mlpRatio: 'number',
  qkvBias: 'boolean', projBias: 'boolean', mlpBias: 'boolean', qkNorm: 'boolean', classToken: 'boolean', distilled: 'boolean', registers: 'number',
  positions: ['learned', 'learned2d', 'sinCos2d', 'sinCos', 'none'] satisfies readonly PositionKind[], prefixPositions: 'boolean',
  pool: ['token', 'average', 'max', 'averageMax', 'none'] satisfies readonly VitConfig['pool'][], poolPrefix: 'boolean',
  preNorm: 'boolean', normAfterPool: 'boolean', finalNorm: 'boolean', layerScale: 'number', preLogits: 'number', epsilon: 'number',
  activation: ['gelu', 'geluTanh', 'quickGelu', 'relu', 'silu', 'tanh'] satisfies readonly Activation[],
  normPlacement: ['pre', 'post'] satisfies readonly VitConfig['normPlacement'][],
  dropout: 'number', tokenDropout: 'number', attentionDropout: 'number', dropPath: 'number',
}

/** Class token, distillation token and registers, in this order. */
const prefix = <const C extends VitConfig>(config: C) =>
  serial(
    when(not(is(option(config, 'registers', 0), 0)), registerTokens(option(config, 'registers', 0))),
    when(option(config, 'distilled', false), distillationToken()),
    when(option(config, 'classToken', true), classToken()),
  )

const prefixLength = ({ classToken = true, distilled = false, registers = 0 }: VitConfig): number => Number(classToken) + Number(distilled) + registers

const normsAfterPool = ({ pool = 'token', normAfterPool = pool === 'average' || pool === 'max' || pool === 'averageMax' }: VitConfig): boolean => normAfterPool

const block = <const C extends VitConfig>(config: C, index: number) => {
  const { mlpRatio = 4, qkvBias = true, projBias = true, mlpBias = true, qkNorm = false, epsilon = 1e-6, activation = 'gelu', normPlacement = 'pre', dropout = 0, attentionDropout = 0, dropPath = 0 } = config
  return encoderBlock({
    numHeads: config.numHeads as C['numHeads'], mlpRatio, qkvBias, projBias, mlpBias, qkNorm, epsilon, activation, normPlacement, dropout, attentionDropout,
    ...(config.layerScale === undefined ? {} : { layerScale: config.layerScale }),
    dropPath: (dropPath * index) / Math.max(1, config.depth - 1),
  })
}

/**
 * Everything of a ViT but its pooling and head. `[height, width, channels] → [tokens, dim]`.
 *
 * Errors: those of `patchEmbed` and `attention`.
 */
export const vitTokens = <const C extends VitConfig>(config: C) => {
  const { preNorm = false, finalNorm = true, epsilon = 1e-6, dropout: rate = 0, tokenDropout: tokenRate = 0 } = config
  const covered = option(config, 'prefixPositions', true)
  return serial(
    named('patch_embed', serial(named('proj', patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'], bias: !preNorm })), flattenTokens())),
    when(covered, prefix(config)),
    positionEmbed({ kind: config.positions ?? 'learned' }),
    when(not(covered), prefix(config)),
    named('pos_drop', dropout(rate)),
    named('patch_drop', tokenDropout(tokenRate, { prefixTokens: prefixLength(config) })),
    named('norm_pre', preNorm ? layerNorm({ epsilon }) : identity()),
    repeat(config.depth as C['depth'], index => block(config, index)),
    named('norm', finalNorm && !normsAfterPool(config) ? layerNorm({ epsilon }) : identity()),
  )
}

/**
 * Pooling and head of a ViT. `[tokens, dim] → [numClasses]`; without pooling, `[tokens, dim] → [tokens, numClasses]`.
 */
export const vitHead = <const C extends VitConfig>(config: C) => {
  const { finalNorm = true, epsilon = 1e-6, poolPrefix = false } = config
  const pool = option(config, 'pool', 'token')
  const kind = config.pool === 'max' || config.pool === 'averageMax' ? config.pool : 'average'
  const preLogits = option(config, 'preLogits', 0)
  const classes = option(config, 'numClasses', 1000)
  return serial(
    when(is(pool, 'token'), takeToken(0)),
    when(both(not(is(pool, 'token')), not(is(pool, 'none'))), globalPool({ kind, prefixTokens: (poolPrefix ? 0 : prefixLength(config)) as 0 })),
    named('fc_norm', finalNorm && normsAfterPool(config) ? layerNorm({ epsilon }) : identity()),
    when(not(is(preLogits, 0)), named('pre_logits', serial(named('fc', linear(preLogits)), tanh()))),
    when(not(is(classes, 0)), named('head', linear(classes))),
  )
}

/**
 * A ViT as a layer over images. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), vit({ patchSize: 16, dim: 192, depth: 12, numHeads: 3 })) // Model<[224, 224, 3], [1000]>
 */
export const vit = <const C extends VitConfig>(config: C) => serial(vitTokens(config), vitHead(config))

/**
 * A ViT that gives the pixels of its patches, `[height, width, channels] → [patches, patchSize² · channels]`, or `outputs`
 * numbers for each, for self-supervision; `hiddenShare` of the patches are hidden in training. All but `hide`, `patch_norm` and
 * `patch_head` is the ViT's and bears its names. Patches must be square.
 *
 * @example
 * vitPixels({ imageSize: 32, patchSize: 4, dim: 32, depth: 2, numHeads: 4 }, 0.5).layers.length // 1
 */
export const vitPixels = <const C extends VitConfig & ImageInput>(config: C, hiddenShare = 0, outputs?: number): AnyModel => {
  const [embedding, ...rest] = vitTokens(config).definition.args as readonly AnyLayer[]
  const [height, width] = pairOf(config.patchSize)
  const hide = hiddenShare === 0 ? [] : [hideTokens(hiddenShare)]
  const norm = named('patch_norm', normsAfterPool(config) ? layerNorm({ epsilon: config.epsilon ?? 1e-6 }) : identity())
  return imageModel(config, () => serial(embedding!, ...hide, ...rest, norm, skipTokens(prefixLength(config)), named('patch_head', linear(outputs ?? height * width * (config.channels ?? 3)))) as AnyLayer) as unknown as AnyModel
}

/** What self-supervision makes of a ViT. */
export const vitPretexts = <const C extends VitConfig & ImageInput>(config: C): Pretexts => ({
  maskedPatches: ({ hiddenShare = 0.5, target }) => vitPixels(config, hiddenShare as number, target === 'meanColour' ? 8 ** (config.channels ?? 3) : undefined),
  colourisation: () => vitPixels(config),
  inpainting: () => vitPixels(config),
})

/** A ViT of given sizes as a recipe. */
export const vitRecipe = <const C extends VitConfig & ImageInput>(config: C, preprocessing: Preprocessing = inceptionPreprocessing): Recipe<ImageModel<C, ReturnType<typeof vit<C>>>> => ({
  family: 'vit',
  source: 'Dosovitskiy et al., 2020, arXiv 2010.11929; sizes and names as timm',
  config: { ...config },
  options: vitOptions,
  model: imageModel(config, () => vit(config)),
  preprocessing,
  pretexts: vitPretexts(config),
  withConfig: changes => vitRecipe({ ...config, ...changes }, preprocessing) as unknown as Recipe,
})

const tiny = { dim: 192, depth: 12, numHeads: 3 } as const
const small = { dim: 384, depth: 12, numHeads: 6 } as const
const base = { dim: 768, depth: 12, numHeads: 12 } as const
const large = { dim: 1024, depth: 24, numHeads: 16 } as const
const huge = { dim: 1280, depth: 32, numHeads: 16 } as const
/** DINOv2 (Oquab et al., 2023): LayerScale, no head; with registers, positions on patches only. */
const dinov2 = { patchSize: 14, imageSize: 518, numClasses: 0, layerScale: 1e-5 } as const
const dinov2Registers = { ...dinov2, registers: 4, prefixPositions: false } as const

/** The published ViTs. */
export const vitRecipes = {
  vit_tiny_patch16_224: vitRecipe({ imageSize: 224, patchSize: 16, ...tiny }),
  vit_tiny_patch16_224_gap: vitRecipe({ imageSize: 224, patchSize: 16, ...tiny, pool: 'average' }),
  vit_tiny_patch16_384: vitRecipe({ imageSize: 384, patchSize: 16, ...tiny }),
  vit_small_patch8_224: vitRecipe({ imageSize: 224, patchSize: 8, ...small }),
  vit_small_patch16_224: vitRecipe({ imageSize: 224, patchSize: 16, ...small }),
  vit_small_patch16_384: vitRecipe({ imageSize: 384, patchSize: 16, ...small }),
  vit_small_patch32_224: vitRecipe({ imageSize: 224, patchSize: 32, ...small }),
  vit_small_patch32_384: vitRecipe({ imageSize: 384, patchSize: 32, ...small }),
  vit_base_patch8_224: vitRecipe({ imageSize: 224, patchSize: 8, ...base }),
  vit_base_patch14_224: vitRecipe({ imageSize: 224, patchSize: 14, ...base }),
  vit_base_patch16_224: vitRecipe({ imageSize: 224, patchSize: 16, ...base }),
  vit_base_patch16_384: vitRecipe({ imageSize: 384, patchSize: 16, ...base }),
  vit_base_patch32_224: vitRecipe({ imageSize: 224, patchSize: 32, ...base }),
  vit_base_patch32_384: vitRecipe({ imageSize: 384, patchSize: 32, ...base }),
  vit_base_patch16_gap_224: vitRecipe({ imageSize: 224, patchSize: 16, dim: 768, depth: 12, numHeads: 16, classToken: false, pool: 'average', normAfterPool: false }),
  /** The ImageNet-21k weights as Google published them, with the pre-logits layer timm has since dropped. */
  vit_base_patch16_224_in21k: vitRecipe({ imageSize: 224, patchSize: 16, ...base, numClasses: 21843, preLogits: 768 }),
  vit_large_patch14_224: vitRecipe({ imageSize: 224, patchSize: 14, ...large }),
  vit_large_patch16_224: vitRecipe({ imageSize: 224, patchSize: 16, ...large }),
  vit_large_patch16_384: vitRecipe({ imageSize: 384, patchSize: 16, ...large }),
  vit_large_patch32_224: vitRecipe({ imageSize: 224, patchSize: 32, ...large }),
  vit_large_patch32_384: vitRecipe({ imageSize: 384, patchSize: 32, ...large }),
  vit_large_patch16_224_in21k: vitRecipe({ imageSize: 224, patchSize: 16, ...large, numClasses: 21843, preLogits: 1024 }),
  vit_huge_patch14_224: vitRecipe({ imageSize: 224, patchSize: 14, ...huge }),
  vit_huge_patch14_224_in21k: vitRecipe({ imageSize: 224, patchSize: 14, ...huge, numClasses: 21843, preLogits: 1280 }),
  vit_small_patch14_dinov2: vitRecipe({ ...dinov2, ...small }),
  vit_base_patch14_dinov2: vitRecipe({ ...dinov2, ...base }),
  vit_large_patch14_dinov2: vitRecipe({ ...dinov2, ...large }),
  vit_small_patch14_reg4_dinov2: vitRecipe({ ...dinov2Registers, ...small }),
  vit_base_patch14_reg4_dinov2: vitRecipe({ ...dinov2Registers, ...base }),
  vit_large_patch14_reg4_dinov2: vitRecipe({ ...dinov2Registers, ...large }),
  /** Beyer et al., 2022, "Better plain ViT baselines": mean pooling and fixed sine-cosine positions, no class token. */
  simple_vit_small_patch16_224: vitRecipe({ imageSize: 224, patchSize: 16, ...small, classToken: false, positions: 'sinCos2d', pool: 'average', normAfterPool: false }),
  /** Mean pooling with neither class token nor positions: blind to the order of its patches. */
  vit_tiny_patch16_nopos_224: vitRecipe({ imageSize: 224, patchSize: 16, ...tiny, classToken: false, positions: 'none', pool: 'average' }),
  /** Our own, with weights trained on Fashion-MNIST: from labels alone, and with a teacher beside them. */
  vit_fashion_mnist: vitRecipe({ ...onFashionMnist, numClasses: 10 }, fashionMnistPreprocessing),
  vit_distilled_fashion_mnist: vitRecipe({ ...onFashionMnist, numClasses: 10 }, fashionMnistPreprocessing),
} as const

const pools: Readonly<Record<string, VitConfig['pool']>> = { token: 'token', avg: 'average', max: 'max', avgmax: 'averageMax', '': 'none' }
const acts: Readonly<Record<string, Activation>> = { 'gelu(erf)': 'gelu', gelu: 'gelu', gelu_erf: 'gelu', 'gelu(tanh)': 'geluTanh', gelu_tanh: 'geluTanh', quick_gelu: 'quickGelu', relu: 'relu', silu: 'silu' }
const tables: Readonly<Record<string, PositionKind>> = { learn: 'learned', none: 'none', '': 'none' }

const classes = ['VisionTransformer', 'VisionTransformerDistilled']

/** The keywords of timm's `VisionTransformer`. */
export const timmKeywords: Readonly<Record<string, Keyword>> = {
  ...vitKeywords,
  // timm gives the MLP's biases no switch of their own.
  proj_bias: keyword('boolean', (bias: boolean) => ({ projBias: bias, mlpBias: bias })),
  qk_norm: keyword('boolean', (qkNorm: boolean) => ({ qkNorm })),
  init_values: keyword('number', (layerScale: number) => ({ layerScale })),
  class_token: keyword('boolean', (classToken: boolean) => ({ classToken })),
  reg_tokens: keyword('number', (registers: number) => ({ registers })),
  no_embed_class: keyword('boolean', (patchesOnly: boolean) => ({ prefixPositions: !patchesOnly })),
  pos_embed: words(tables, positions => ({ positions })),
  global_pool: words(pools, pool => ({ pool })),
  pool_include_prefix: keyword('boolean', (poolPrefix: boolean) => ({ poolPrefix })),
  pre_norm: keyword('boolean', (preNorm: boolean) => ({ preNorm })),
  final_norm: keyword('boolean', (finalNorm: boolean) => ({ finalNorm })),
  fc_norm: keyword('boolean', (normAfterPool: boolean) => ({ normAfterPool })),
  representation_size: keyword('number', (preLogits: number) => ({ preLogits })),
  act: words(acts, activation => ({ activation })),
  class: keyword(classes, (name: string) => ({ distilled: name === 'VisionTransformerDistilled' })),
  class_: keyword(classes, (name: string) => ({ distilled: name === 'VisionTransformerDistilled' })),
  ...inertAll('number', ['drop_rate', 'pos_drop_rate', 'patch_drop_rate', 'proj_drop_rate', 'attn_drop_rate', 'drop_path_rate']),
}

/** Reads a configuration in timm's keywords. Errors: `unknownKeyword`, `badKeyword`, `missingKeyword`. */
export const readTimmConfig = (system: string, config: RawConfig): Either<Problem, VitConfig & ImageInput> => {
  const read = readKeywords(system, config, timmKeywords, ['img_size', 'patch_size', 'embed_dim', 'depth', 'num_heads'])
  return read._tag === 'Left' ? read : right(read.right as VitConfig & ImageInput)
}

/** The model a reference recording of system `vit` was made by. */
export const vitReplica = (config: RawConfig): Either<Problem, Replica> => {
  const read = readTimmConfig('vit', config)
  if (read._tag === 'Left') return read
  const { model, preprocessing } = vitRecipe(read.right)
  return right({ model: model as unknown as Replica['model'], outputs: { tokens: 'norm' }, preprocessing })
}
