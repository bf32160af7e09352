import { add, divide, exp, linear, matmul, multiply, reshape, scalar, slice, subtract, sum } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { sizeOf } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Mixes, mixes } from './core/mixing.js'
import { amounts, firstOf, rates, sizes } from './core/preconditions.js'
import { dropout } from './dropout.js'

/** Options of {@link performerAttention}. */
export interface PerformerAttentionConfig<D extends number> {
  /** Channels out, and of queries, keys and values. */
  readonly dim: D
  /** How many random features stand for the softmax (default half of `dim`). */
  readonly numFeatures?: number
  /** Added to what is divided by (default 1e-8). */
  readonly epsilon?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/**
 * Attention whose cost grows with the number of tokens, not with its square (Choromanski et al., 2020, "Rethinking
 * Attention with Performers", equation 7), with the values added to what comes out, as T2T-ViT has it (Yuan et al., 2021,
 * whose names these are). `[tokens, channels] → [tokens, dim]`, `[height, width, channels] → [height, width, dim]`.
 *
 * The softmax is replaced by products of positive features `exp(w·x − |x|²/2) / √numFeatures` of queries and of keys.
 *
 * Parameters: `w [numFeatures, dim]` (random, frozen), `kqv.weight [3·dim, channels]` (rows keys, queries, values),
 * `kqv.bias [3·dim]`, `proj.weight [dim, dim]`, `proj.bias [dim]`. Errors: `expectsTokens`, `notASize`, `notARate`, `notAnAmount`.
 *
 * @example
 * pipe(input(56, 56, 147), performerAttention({ dim: 64 })) // Model<[56, 56, 147], [56, 56, 64]>
 */
export const performerAttention = <const D extends number>(config: PerformerAttentionConfig<D>): Layer<Mixes<'performerAttention', D>> => {
  const { dim, numFeatures, epsilon = 1e-8, projDropout = 0 } = config
  const features = numFeatures ?? Math.floor(dim / 2)
  return defineLayer('performerAttention', performerAttention, [config], {
    config: { dim, numFeatures, epsilon, projDropout },
    check: shape =>
      firstOf(
        () => sizes('performerAttention', { dim, numFeatures: features }),
        () => amounts('performerAttention', { epsilon }),
        () => rates('performerAttention', { projDropout }),
        () => mixes('performerAttention', shape),
      ),
    parameters: shape => ({
      w: { shape: [features, dim], initialiser: { kind: 'orthogonal', gain: Math.sqrt(features) }, role: 'frozen' },
      'kqv.weight': { shape: [3 * dim, shape.at(-1) as number], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      'kqv.bias': { shape: [3 * dim], initialiser: { kind: 'zeros' } },
      'proj.weight': { shape: [dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      'proj.bias': { shape: [dim], initialiser: { kind: 'zeros' } },
    }),
    traits: { order: 'equivariant' },
    forward: (x, { parameters, apply }) => {
      const tokens = sizeOf(x.shape.slice(0, -1))
      const kqv = linear(reshape(x, [tokens, x.shape.at(-1) as number]), parameters['kqv.weight']!, parameters['kqv.bias'])
      const part = (i: number): Tensor => slice(kqv, [0, i * dim], [tokens, dim])
      const featuresOf = (t: Tensor): Tensor => {
        const half = multiply(sum(multiply(t, t), [1], true), scalar(0.5))
        return multiply(exp(subtract(matmul(t, parameters['w']!, { transposeB: true }), half)), scalar(1 / Math.sqrt(features)))
      }
      const [keys, queries, values] = [featuresOf(part(0)), featuresOf(part(1)), part(2)]
      const total = matmul(queries, reshape(sum(keys, [0]), [features, 1]))
      const mixed = matmul(queries, matmul(keys, values, { transposeA: true }))
      const projected = linear(divide(mixed, add(total, scalar(epsilon))), parameters['proj.weight']!, parameters['proj.bias'])
      const dropped = projDropout === 0 ? projected : (apply(dropout(projDropout), projected, 'dp') as Tensor)
      return reshape(add(values, dropped), [...x.shape.slice(0, -1), dim])
    },
  })
}

/** What generators may give {@link performerAttention}. */
export const performerAttentionArguments: Arguments = [choice.options({ dim: choice.size }, { numFeatures: choice.whole(1, 5), epsilon: choice.epsilon, projDropout: choice.rate })]
