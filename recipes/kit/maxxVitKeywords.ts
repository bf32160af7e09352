import { right, type Either } from 'fp-ts/lib/Either.js'
import type { PoolKind } from '../../src/layers/core/halving.js'
import type { NormKind } from '../../src/layers/core/normalisation.js'
import type { Problem } from '../../src/shape/problem.js'
import type { Pair } from '../../src/shape/patches.js'
import { inert, keyword, readKeywords, unsupported, words, type Keyword, type RawConfig } from './referenceConfig.js'
import { imageKeywords } from './vitKeywords.js'

const acts = { gelu: 'gelu', gelu_tanh: 'geluTanh', quick_gelu: 'quickGelu', relu: 'relu', silu: 'silu', swish: 'silu', tanh: 'tanh' } as const
const halvings: Readonly<Record<string, PoolKind>> = { avg: 'average3', avg2: 'average2', max: 'max3', max2: 'max2' }
const norms: Readonly<Record<string, NormKind>> = { batchnorm: 'batchNorm', batchnorm2d: 'batchNorm', layernorm2d: 'layerNorm', layernorm2dfp32: 'layerNorm' }
const pools = { avg: 'average', max: 'max', avgmax: 'averageMax', catavgmax: 'averageAndMax', '': 'none' } as const
const blocks: Readonly<Record<string, 'conv' | 'attention'>> = { C: 'conv', T: 'attention' }

/** The keywords of timm's `MaxxVit`, those of its two inner configurations with their names before them. */
const keywords: Readonly<Record<string, Keyword>> = {
  ...imageKeywords,
  global_pool: words(pools, pool => ({ pool })),
  embed_dim: keyword('numbers', (dims: readonly number[]) => ({ dims })),
  depths: keyword('numbers', (depths: readonly number[]) => ({ depths })),
  block_type: keyword('list', (types: readonly (string | readonly string[])[]) => ({ blocks: types.map(type => (typeof type === 'string' ? blocks[type] : type.map(t => blocks[t]))) })),
  stem_width: keyword('pair', (stemDims: Pair) => ({ stemDims })),
  stem_bias: keyword('boolean', (stemBias: boolean) => ({ stemBias })),
  head_hidden_size: keyword('number', (preLogits: number) => ({ preLogits })),
  drop_rate: keyword('number', (headDropout: number) => ({ headDropout })),
  drop_path_rate: keyword('number', (dropPath: number) => ({ dropPath })),
  weight_init: inert('string'),

  'conv_cfg.block_type': words({ mbconv: 0 }, () => ({})),
  'conv_cfg.expand_ratio': keyword('number', (expansion: number) => ({ expansion })),
  'conv_cfg.expand_output': keyword('boolean', (output: boolean) => ({ expandFrom: output ? 'output' : 'input' })),
  'conv_cfg.kernel_size': keyword('number', (kernelSize: number) => ({ kernelSize })),
  'conv_cfg.group_size': keyword('number', (groupSize: number) => ({ groupSize })),
  'conv_cfg.pre_norm_act': keyword('boolean', (preActivation: boolean) => ({ preActivation })),
  'conv_cfg.output_bias': keyword('boolean', (outputBias: boolean) => ({ outputBias })),
  'conv_cfg.stride_mode': words({ dw: 'depthwise', '1x1': 'pointwise', pool: 'pool' }, strideMode => ({ strideMode })),
  'conv_cfg.pool_type': words(halvings, convPool => ({ convPool })),
  'conv_cfg.downsample_pool_type': words(halvings, branchPool => ({ branchPool })),
  'conv_cfg.padding': words({ '': 'symmetric', same: 'same' }, padding => ({ padding })),
  'conv_cfg.attn_early': keyword('boolean', (early: boolean) => ({ excite: early ? 'early' : 'late' })),
  'conv_cfg.attn_layer': words({ se: {}, '': { excite: 'none' } }, none => none),
  'conv_cfg.attn_act_layer': words(acts, exciteActivation => ({ exciteActivation })),
  'conv_cfg.attn_ratio': keyword('number', (exciteRatio: number) => ({ exciteRatio })),
  'conv_cfg.act_layer': words(acts, convActivation => ({ convActivation })),
  'conv_cfg.norm_layer': words({ ...norms, '': 'batchNorm' }, convNorm => ({ convNorm })),
  'conv_cfg.norm_eps': keyword('number', (convEpsilon: number) => ({ convEpsilon })),
  // What only blocks of the class's other architectures read.
  'conv_cfg.init_values': inert('number'),
  'conv_cfg.norm_layer_cl': inert('string'),

  'transformer_cfg.dim_head': keyword('number', (headDim: number) => ({ headDim })),
  'transformer_cfg.expand_ratio': keyword('number', (mlpRatio: number) => ({ mlpRatio })),
  'transformer_cfg.expand_first': keyword('boolean', (expandFirst: boolean) => ({ expandFirst })),
  'transformer_cfg.shortcut_bias': keyword('boolean', (shortcutBias: boolean) => ({ shortcutBias })),
  'transformer_cfg.attn_bias': keyword('boolean', (attentionBias: boolean) => ({ attentionBias })),
  'transformer_cfg.attn_drop': keyword('number', (attentionDropout: number) => ({ attentionDropout })),
  'transformer_cfg.proj_drop': keyword('number', (dropout: number) => ({ dropout })),
  'transformer_cfg.pool_type': words(halvings, attentionPool => ({ attentionPool })),
  'transformer_cfg.rel_pos_type': words({ bias: 'table', mlp: 'mlp', bias_tf: 'grid', '': 'none' }, positions => ({ positions })),
  'transformer_cfg.rel_pos_dim': keyword('number', (positionDim: number) => ({ positionDim })),
  'transformer_cfg.init_values': keyword('number', (layerScale: number) => (layerScale === 0 ? {} : { layerScale })),
  'transformer_cfg.act_layer': words(acts, activation => ({ activation })),
  'transformer_cfg.norm_layer': words(norms, norm => ({ norm })),
  'transformer_cfg.norm_eps': keyword('number', (epsilon: number) => ({ epsilon })),
  // CoAtNet's blocks attend over the whole map and always order channels head by head.
  ...Object.fromEntries(['head_first', 'no_block_attn', 'use_nchw_attn'].map(name => [`transformer_cfg.${name}`, inert('boolean')])),
  ...Object.fromEntries(['window_size', 'grid_size', 'partition_ratio'].map(name => [`transformer_cfg.${name}`, inert('pair')])),
  'transformer_cfg.norm_layer_cl': inert('string'),
}

/** Python's `None` where it is a value rather than the absence of one. */
const nones: Readonly<Record<string, unknown>> = { 'conv_cfg.attn_layer': '', 'conv_cfg.group_size': 0, 'transformer_cfg.rel_pos_type': '' }

/** `{ conv_cfg: { a: 1 } }` and `{ conv_a: 1 }`, which timm takes too, as `{ 'conv_cfg.a': 1 }`. */
const flattened = (config: RawConfig): RawConfig => {
  const flat = Object.entries(config).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    const [, part, name] = /^(conv|transformer)_(.+)$/.exec(key) ?? []
    if (part === undefined) return [[key, value]]
    if (name !== 'cfg' || typeof value !== 'object' || value === null) return [[`${part}_cfg.${name}`, value]]
    return Object.entries(value).map(([inner, v]) => [`${part}_cfg.${inner}`, v] as const)
  })
  return Object.fromEntries(flat.map(([key, value]) => [key, value === null ? (nones[key] ?? null) : value]))
}

/** What is read, as far as it is looked at here; the other options of a CoAtNet are beside it. */
interface Read {
  readonly imageSize: Pair
  readonly dims: readonly number[]
  readonly depths: readonly number[]
  readonly stemDims: Pair
  readonly blocks?: readonly unknown[]
  readonly pool?: string
  readonly preLogits?: number
  readonly numClasses?: number
}

/**
 * Reads a configuration of timm's `MaxxVit` as the options of a CoAtNet. Errors: `unknownKeyword`, `badKeyword`, `missingKeyword`;
 * `unsupportedKeyword` (another of the architectures that class makes, or what it cannot run itself).
 */
export const readMaxxVitConfig = (system: string, config: RawConfig): Either<Problem, Read> => {
  const flat = flattened(config)
  const types = Array.isArray(flat['block_type']) ? (flat['block_type'] as readonly unknown[]).flat() : []
  const other = types.find(type => !Object.hasOwn(blocks, String(type)))
  if (other !== undefined) return unsupported(system, `'block_type' must be made of C and T, got ${JSON.stringify(other)}`)
  if (flat['conv_cfg.block_type'] === 'convnext') return unsupported(system, `'conv_cfg.block_type' must be mbconv; ConvNeXt blocks are another architecture (CoAtNeXt)`)
  // An empty name of the second pool means the first one.
  const pooled = flat['conv_cfg.downsample_pool_type'] === '' ? { ...flat, 'conv_cfg.downsample_pool_type': flat['conv_cfg.pool_type'] ?? 'avg2' } : flat
  // Later keywords win: whether there is a gate, over where it is.
  const { 'conv_cfg.attn_layer': gate, ...rest } = pooled
  const read = readKeywords(system, gate === undefined ? rest : { ...rest, 'conv_cfg.attn_layer': gate }, keywords, [])
  if (read._tag === 'Left') return read
  const made: Read = { imageSize: 224, dims: [96, 192, 384, 768], depths: [2, 3, 5, 2], stemDims: 64, ...read.right }
  const { dims, depths, blocks: kinds, pool, preLogits = 0, numClasses = 1000 } = made
  if (depths.length !== dims.length || (kinds ?? dims).length < dims.length) return unsupported(system, `'embed_dim', 'depths' and 'block_type' must be of one length, got ${dims.length}, ${depths.length} and ${(kinds ?? dims).length}`)
  if (pool === 'none' && preLogits === 0 && numClasses !== 0) return unsupported(system, "with 'global_pool' '' and no hidden head layer, the reference applies its classifier to the width axis")
  if (pool === 'averageAndMax' && preLogits !== 0) return unsupported(system, "'global_pool' catavgmax does not go with a hidden head layer")
  return right(made)
}
