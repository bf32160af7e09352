import { add, broadcast, concat, divide, exp, gelu, log, max, mean, multiply, scalar, slice, step, subtract, sum } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { DivMod } from '../shape/natural.js'
import { show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, firstOf, sizes, tokens } from './core/preconditions.js'
import { layerNorm } from './layerNorm.js'
import { linear } from './linear.js'

/** Options of {@link tokenScores}. */
export interface TokenScoresConfig {
  /** Epsilon of the norm (default 1e-5). */
  readonly epsilon?: number
}

/** The shape function of {@link tokenScores}. */
export interface TokenScores extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? DivMod<C, 2> extends readonly [number, 1] ? DoNotHalve<N, C> : readonly [N, 2]
    : Expects<'expectsTokens', 'tokenScores', this['in']>
}
type DoNotHalve<N extends number, C extends number> = Misfit<'channelsDoNotHalve', { layer: 'tokenScores'; channels: C; shape: Show<readonly [N, C]> }, 'tokenScores'>

/**
 * How much each token is worth: the logarithms of the probabilities to keep and to drop it, from half its own channels
 * and the mean of the other half over all tokens that count (Rao et al., 2021, "DynamicViT", equations 1 to 5).
 * `[tokens, dim] → [tokens, 2]`.
 *
 * Parameters under `score_predictor`, as the authors name them: `in_conv.0` (norm), `in_conv.1`, `out_conv.0`,
 * `out_conv.2`, `out_conv.4`. Errors: `expectsTokens`, `channelsDoNotHalve`, `notASize` (fewer than 4 channels), `notAnAmount`.
 *
 * @example
 * pipe(input(196, 384), tokenScores()) // Model<[196, 384], [196, 2]>
 */
export const tokenScores = (config: TokenScoresConfig = {}): Layer<TokenScores> => {
  const { epsilon = 1e-5 } = config
  return defineLayer('tokenScores', tokenScores, [config], {
    config: { epsilon },
    scope: 'score_predictor',
    check: shape =>
      firstOf(
        () => amounts('tokenScores', { epsilon }),
        () => tokens('tokenScores', shape),
        () => ((shape[1] as number) % 2 === 0 ? undefined : misfit('channelsDoNotHalve', { layer: 'tokenScores', channels: shape[1] as number, shape: show(shape) })),
        () => sizes('tokenScores', { 'a quarter of the channels': Math.floor((shape[1] as number) / 4) }),
      ),
    traits: { order: 'equivariant' },
    forward: (x, { apply, policy }) => {
      const [count, dim] = x.shape as readonly [number, number]
      const half = dim / 2
      const mapped = (t: Tensor, out: number, scope: string): Tensor => apply(linear(out), t, scope) as Tensor
      const inner = gelu(mapped(apply(layerNorm({ epsilon }), x, 'in_conv.0') as Tensor, dim, 'in_conv.1'))
      const [local, far] = [0, half].map(from => slice(inner, [0, from], [count, half])) as [Tensor, Tensor]
      const joined = concat([local, broadcast(overCounted(far, policy), [count, half])], 1)
      const scores = mapped(gelu(mapped(gelu(mapped(joined, half, 'out_conv.0')), Math.floor(dim / 4), 'out_conv.2')), 2, 'out_conv.4')
      const shifted = subtract(scores, max(scores, [1], true))
      return subtract(shifted, log(sum(exp(shifted), [1], true)))
    },
  })
}

/** What generators may give {@link tokenScores}. */
export const tokenScoresArguments: Arguments = [choice.options({}, { epsilon: choice.epsilon })]

/** The mean over the tokens that count; 0 where there is none. */
const overCounted = (x: Tensor, policy: Tensor | undefined): Tensor => {
  if (policy === undefined) return mean(x, [0], true)
  const counted = sum(policy, [0], true)
  return divide(sum(multiply(x, policy), [0], true), add(counted, subtract(scalar(1), step(counted))))
}
