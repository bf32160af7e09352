import { slice } from '../ops/ops.js'
import type { IsLess, Subtract } from '../shape/natural.js'
import { show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { counts, firstOf, tokens } from './core/preconditions.js'

/** The shape function of {@link skipTokens}. */
export interface SkipTokens<K extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? K extends 0 ? this['in'] : IsLess<K, N> extends false ? PrefixTooLong<K, N, C> : readonly [Subtract<N, K>, C]
    : Expects<'expectsTokens', 'skipTokens', this['in']>
}
type PrefixTooLong<K extends number, N extends number, C extends number> = Misfit<'prefixTooLong', { layer: 'skipTokens'; prefixTokens: K; tokens: N; shape: Show<readonly [N, C]> }, 'skipTokens'>

/**
 * All tokens but the first ones (a class token, registers). `[tokens, dim] → [tokens − count, dim]`.
 * Errors: `expectsTokens`, `prefixTooLong`, `notACount`.
 *
 * @example
 * pipe(input(197, 192), skipTokens(1)) // Model<[197, 192], [196, 192]>
 */
export const skipTokens = <const K extends number>(count: K): Layer<SkipTokens<K>> =>
  defineLayer('skipTokens', skipTokens, [count], {
    config: { count },
    check: shape =>
      firstOf(
        () => counts('skipTokens', { count }),
        () => tokens('skipTokens', shape),
        () => (count < (shape[0] as number) ? undefined : misfit('prefixTooLong', { layer: 'skipTokens', prefixTokens: count, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { reach: 'channel' },
    forward: x => (count === 0 ? x : slice(x, [count, 0], [(x.shape[0] as number) - count, x.shape[1] as number])),
  })

/** What generators may give {@link skipTokens}. */
export const skipTokensArguments: Arguments = [choice.below('tokens')]
