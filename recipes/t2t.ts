import { right, type Either } from 'fp-ts/lib/Either.js'
import {
  classToken, dropout, encoderBlock, flattenTokens, gelu, layerNorm, linear, mlp, named, ops, performerAttention, positionEmbed, repeat, residual, serial,
  takeToken, tokenAttention, unfold, when,
  type Graph, type Problem, type Tensor,
} from '../src/index.js'
import { is, not } from './kit/conditions.js'
import { imageModel, imagenetPreprocessing, option, type ImageInput, type ImageModel, type Recipe, type Replica } from './kit/recipe.js'
import { inertAll, keyword, readKeywords, unsupported, type Keyword, type Kind, type RawConfig } from './kit/referenceConfig.js'
import { scaleKeyword, vitKeywords } from './kit/vitKeywords.js'

/*
 * T2T-ViT: "Tokens-to-Token ViT: Training Vision Transformers from Scratch on ImageNet" (Yuan et al., 2021,
 * arXiv 2101.11986): three soft splits into overlapping windows, with an attention step after each of the first two,
 * make 16 times fewer tokens along each side; then a deep and narrow ViT. Names and sizes are the authors'.
 */

/** The options of a T2T-ViT. */
export interface T2tConfig {
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  /** Attention between the soft splits: Performer's, of linear cost, or the usual one (default `performer`). */
  readonly tokens?: 'performer' | 'transformer'
  /** Channels between the soft splits (default 64). */
  readonly tokenDim?: number
  /** 0 leaves out the head (default 1000). */
  readonly numClasses?: number
  readonly mlpRatio?: number
  readonly qkvBias?: boolean
  /** What scores in the blocks are multiplied by (default `1/√(dim/numHeads)`); released weights were trained with `1/√dim`. */
  readonly attentionScale?: number
  /** Epsilon of the norms in and after the blocks (default 1e-5); those between the soft splits always have 1e-5. */
  readonly epsilon?: number
  /** Rates that act in training only; `dropPath` grows linearly from 0 over the blocks. */
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
}

/** What each option may be, for configurations that come from files. */
export const t2tOptions: { readonly [K in keyof Required<T2tConfig & ImageInput>]: Kind } = {
  imageSize: 'pair', channels: 'number', dim: 'number', depth: 'number', numHeads: 'number', tokens: ['performer', 'transformer'] satisfies readonly T2tConfig['tokens'][],
  tokenDim: 'number', numClasses: 'number', mlpRatio: 'number', qkvBias: 'boolean', attentionScale: 'number', epsilon: 'number', dropout: 'number', attentionDropout: 'number', dropPath: 'number',
}

const norm = () => layerNorm({ epsilon: 1e-5 })

/** A Performer between two soft splits: `[height, width, channels] → [height, width, dim]`. It drops a tenth in training. */
const tokenPerformer = <const D extends number>(dim: D) =>
  serial(
    named('norm1', norm()),
    performerAttention({ dim, projDropout: 0.1 }),
    residual(serial(named('norm2', norm()), named('mlp', serial(named('0', linear(dim)), gelu(), named('2', linear(dim)), named('3', dropout(0.1)))))),
  )

/** The same with the usual attention. */
const tokenTransformer = <const D extends number>(dim: D) => serial(named('norm1', norm()), tokenAttention({ dim }), residual(serial(named('norm2', norm()), mlp({ mlpRatio: 1 }))))

const tokenStep = <const C extends T2tConfig>(config: C) => {
  const [tokens, dim] = [option(config, 'tokens', 'performer'), option(config, 'tokenDim', 64)]
  return serial(when(is(tokens, 'performer'), tokenPerformer(dim)), when(not(is(tokens, 'performer')), tokenTransformer(dim)))
}

/**
 * An image to tokens, step by step (section 3.1). `[height, width, channels] → [height·width/256, dim]`.
 *
 * Errors: those of `unfold`.
 */
export const tokensToToken = <const C extends T2tConfig>(config: C) =>
  serial(
    named('soft_split0', unfold({ size: 7, stride: 4, padding: 2 })),
    named('attention1', tokenStep(config)),
    named('soft_split1', unfold({ size: 3, stride: 2, padding: 1 })),
    named('attention2', tokenStep(config)),
    named('soft_split2', unfold({ size: 3, stride: 2, padding: 1 })),
    named('project', linear(config.dim as C['dim'], { asProduct: true })),
    flattenTokens(),
  )

const block = <const C extends T2tConfig>(config: C, index: number) => {
  const { mlpRatio = 3, qkvBias = false, attentionScale, epsilon = 1e-5, dropout = 0, attentionDropout = 0, dropPath = 0 } = config
  return encoderBlock({
    numHeads: config.numHeads as C['numHeads'], mlpRatio, qkvBias, epsilon, dropout, attentionDropout,
    ...(attentionScale === undefined ? {} : { attentionScale }),
    dropPath: (dropPath * index) / Math.max(1, config.depth - 1),
  })
}

/**
 * A T2T-ViT as a layer over images. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), t2t({ dim: 256, depth: 7, numHeads: 4, mlpRatio: 2 })) // Model<[224, 224, 3], [1000]>
 */
export const t2t = <const C extends T2tConfig>(config: C) => {
  const classes = option(config, 'numClasses', 1000)
  return serial(
    named('tokens_to_token', tokensToToken(config)),
    classToken(),
    positionEmbed({ kind: 'sinCos', stored: 'pos_embed' }),
    named('pos_drop', dropout(config.dropout ?? 0)),
    repeat(config.depth as C['depth'], index => block(config, index)),
    named('norm', layerNorm({ epsilon: config.epsilon ?? 1e-5 })),
    takeToken(0),
    when(not(is(classes, 0)), named('head', linear(classes))),
  )
}

/** A T2T-ViT of given sizes as a recipe. */
export const t2tRecipe = <const C extends T2tConfig & ImageInput>(config: C): Recipe<ImageModel<C, ReturnType<typeof t2t<C>>>> => ({
  family: 't2t',
  source: 'Yuan et al., 2021, arXiv 2101.11986; sizes and names as yitu-opensource/T2T-ViT',
  config: { ...config },
  options: t2tOptions,
  model: imageModel(config, () => t2t(config)),
  preprocessing: imagenetPreprocessing,
  withConfig: changes => t2tRecipe({ ...config, ...changes }) as unknown as Recipe,
})

/** The published T2T-ViTs. */
export const t2tRecipes = {
  t2t_vit_7: t2tRecipe({ imageSize: 224, dim: 256, depth: 7, numHeads: 4, mlpRatio: 2 }),
  t2t_vit_10: t2tRecipe({ imageSize: 224, dim: 256, depth: 10, numHeads: 4, mlpRatio: 2 }),
  t2t_vit_12: t2tRecipe({ imageSize: 224, dim: 256, depth: 12, numHeads: 4, mlpRatio: 2 }),
  t2t_vit_14: t2tRecipe({ imageSize: 224, dim: 384, depth: 14, numHeads: 6 }),
  t2t_vit_19: t2tRecipe({ imageSize: 224, dim: 448, depth: 19, numHeads: 7 }),
  t2t_vit_24: t2tRecipe({ imageSize: 224, dim: 512, depth: 24, numHeads: 8 }),
  t2t_vit_t_14: t2tRecipe({ imageSize: 224, tokens: 'transformer', dim: 384, depth: 14, numHeads: 6 }),
  t2t_vit_t_19: t2tRecipe({ imageSize: 224, tokens: 'transformer', dim: 448, depth: 19, numHeads: 7 }),
  t2t_vit_t_24: t2tRecipe({ imageSize: 224, tokens: 'transformer', dim: 512, depth: 24, numHeads: 8 }),
  /** As ResNeXt: many narrow heads. */
  t2t_vit_14_resnext: t2tRecipe({ imageSize: 224, dim: 384, depth: 14, numHeads: 32 }),
  /** As Wide-ResNet: few wide blocks. */
  t2t_vit_14_wide: t2tRecipe({ imageSize: 224, dim: 768, depth: 4, numHeads: 12 }),
} as const

// Its patches are those of the soft splits.
const { patch_size: _, ...sizes } = vitKeywords

/** The keywords of the authors' `T2T_ViT`. */
const keywords: Readonly<Record<string, Keyword>> = {
  ...sizes,
  ...scaleKeyword,
  tokens_type: keyword(['performer', 'transformer'], (tokens: string) => ({ tokens })),
  token_dim: keyword('number', (tokenDim: number) => ({ tokenDim })),
  ...inertAll('number', ['drop_rate', 'attn_drop_rate', 'drop_path_rate']),
  ...inertAll('string', ['class', 'class_', 'pos_embed', 'norm_layer']),
}

/** What the reference takes where a keyword is absent. */
const absent = { imageSize: 224, dim: 768, depth: 12, numHeads: 12, mlpRatio: 4 } as const

/** The first windows of the first soft split, as recordings hold them. */
const computed = ({ features }: Graph): Readonly<Record<string, Tensor>> => {
  const split = features.get('tokens_to_token.soft_split0') as Tensor
  const [rows, columns, channels] = split.shape as readonly [number, number, number]
  return { soft_split0_first_token: ops.slice(ops.reshape(split, [rows * columns, channels]), [0, 0], [2, channels]) }
}

/** The model a reference recording of system `t2t` was made by. */
export const t2tReplica = (config: RawConfig): Either<Problem, Replica> => {
  if (config['tokens_type'] === 'convolution') return unsupported('t2t', "'tokens_type' cannot be 'convolution', which the reference names but cannot run")
  const read = readKeywords('t2t', config, keywords, [])
  if (read._tag === 'Left') return read
  const { model, preprocessing } = t2tRecipe({ ...absent, ...(read.right as Partial<T2tConfig & ImageInput>) })
  return right({ model: model as unknown as Replica['model'], outputs: {}, computed, preprocessing })
}
