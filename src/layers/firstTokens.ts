import { slice } from '../ops/ops.js'
import type { IsLess } from '../shape/natural.js'
import { show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, sizes, tokens } from './core/preconditions.js'

/** The shape function of {@link firstTokens}. */
export interface FirstTokens<K extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? IsLess<N, K> extends true ? TooFewTokens<K, N, C> : readonly [K, C]
    : Expects<'expectsTokens', 'firstTokens', this['in']>
}
type TooFewTokens<K extends number, N extends number, C extends number> = Misfit<'tooFewTokens', { count: K; tokens: N; shape: Show<readonly [N, C]> }, 'firstTokens'>

/**
 * The first tokens (a class token, registers), still as tokens: what `skipTokens` leaves out. For one token as a vector
 * there is `takeToken`. `[tokens, dim] → [count, dim]`. Errors: `expectsTokens`, `tooFewTokens`, `notASize`.
 *
 * @example
 * pipe(input(197, 192), firstTokens(1)) // Model<[197, 192], [1, 192]>
 */
export const firstTokens = <const K extends number>(count: K): Layer<FirstTokens<K>> =>
  defineLayer('firstTokens', firstTokens, [count], {
    config: { count },
    check: shape =>
      firstOf(
        () => sizes('firstTokens', { count }),
        () => tokens('firstTokens', shape),
        () => (count <= (shape[0] as number) ? undefined : misfit('tooFewTokens', { count, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { reach: 'channel' },
    forward: x => (count === x.shape[0] ? x : slice(x, [0, 0], [count, x.shape[1] as number])),
  })

/** What generators may give {@link firstTokens}. */
export const firstTokensArguments: Arguments = [choice.either(choice.axis('tokens'), choice.whole(1, 2))]
