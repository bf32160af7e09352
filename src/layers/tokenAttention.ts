import { add, attention, linear, reshape, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { sizeOf } from '../shape/shape.js'
import { attentionWeights } from './core/attentionWeights.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Mixes, mixes } from './core/mixing.js'
import { amounts, firstOf, rates, sizes } from './core/preconditions.js'
import { dropout } from './dropout.js'

/** Options of {@link tokenAttention}. */
export interface TokenAttentionConfig<D extends number> {
  /** Channels out, and of queries, keys and values. */
  readonly dim: D
  /** Whether the query, key and value projections have a bias (default false). */
  readonly qkvBias?: boolean
  /** What scores are multiplied by (default `1/√channels`, of the channels that arrive: as T2T-ViT has it). */
  readonly scale?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/**
 * Attention of one head that changes the number of channels, with the values added to what comes out, where a residual
 * branch could not be: T2T-ViT's token transformer (Yuan et al., 2021, section 3.1).
 * `[tokens, channels] → [tokens, dim]`, `[height, width, channels] → [height, width, dim]`.
 *
 * Parameters under `attn`: `qkv.weight [3·dim, channels]`, `qkv.bias [3·dim]`, `proj.weight [dim, dim]`, `proj.bias [dim]`.
 * The weights `[1, tokens, tokens]` are the feature `<path>.weights`.
 * Errors: `expectsTokens`, `notASize`, `notARate`, `notAnAmount`.
 *
 * @example
 * pipe(input(28, 28, 576), tokenAttention({ dim: 64 })) // Model<[28, 28, 576], [28, 28, 64]>
 */
export const tokenAttention = <const D extends number>(config: TokenAttentionConfig<D>): Layer<Mixes<'tokenAttention', D>> => {
  const { dim, qkvBias = false, scale, projDropout = 0 } = config
  return defineLayer('tokenAttention', tokenAttention, [config], {
    config: { dim, qkvBias, scale, projDropout },
    scope: 'attn',
    check: shape =>
      firstOf(
        () => sizes('tokenAttention', { dim }),
        () => (scale === undefined ? undefined : amounts('tokenAttention', { scale })),
        () => rates('tokenAttention', { projDropout }),
        () => mixes('tokenAttention', shape),
      ),
    parameters: shape => ({
      'qkv.weight': { shape: [3 * dim, shape.at(-1) as number], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      ...(qkvBias ? { 'qkv.bias': { shape: [3 * dim], initialiser: { kind: 'zeros' } } as const } : {}),
      'proj.weight': { shape: [dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      'proj.bias': { shape: [dim], initialiser: { kind: 'zeros' } },
    }),
    traits: { order: 'equivariant' },
    forward: (x, { parameters, path, apply, offer }) => {
      const [tokens, channels] = [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number]
      const qkv = linear(reshape(x, [tokens, channels]), parameters['qkv.weight']!, parameters['qkv.bias'])
      const [q, k, v] = [0, 1, 2].map(i => slice(qkv, [0, i * dim], [tokens, dim])) as [Tensor, Tensor, Tensor]
      const comparison = { numHeads: 1, scale: scale ?? channels ** -0.5 }
      offer(`${path}.weights`, () => attentionWeights(q, k, comparison))
      const projected = linear(attention(q, k, v, comparison), parameters['proj.weight']!, parameters['proj.bias'])
      const dropped = projDropout === 0 ? projected : (apply(dropout(projDropout), projected, 'proj_drop') as Tensor)
      return reshape(add(v, dropped), [...x.shape.slice(0, -1), dim])
    },
  })
}

/** What generators may give {@link tokenAttention}. */
export const tokenAttentionArguments: Arguments = [choice.options({ dim: choice.size }, { qkvBias: choice.flag, scale: choice.among(0.25, 1), projDropout: choice.rate })]
