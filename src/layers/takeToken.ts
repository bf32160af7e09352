import { reshape, slice } from '../ops/ops.js'
import type { IsLess } from '../shape/natural.js'
import { problem } from '../shape/problem.js'
import { show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, tokens } from './core/preconditions.js'

/** The shape function of {@link takeToken}. */
export interface TakeToken<I extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? I extends 0 ? readonly [C] : IsLess<I, N> extends false ? NoSuchToken<I, N, C> : readonly [C]
    : Expects<'expectsTokens', 'takeToken', this['in']>
}

type NoSuchToken<I extends number, N extends number, C extends number> = Misfit<'noSuchToken', { index: I; tokens: N; shape: Show<readonly [N, C]> }, 'takeToken'>

/**
 * One token by its place: 0 is the class token. `[tokens, dim] → [dim]`. Errors: `expectsTokens`, `noSuchToken`, `notAnIndex`.
 *
 * @example
 * pipe(input(197, 192), takeToken(0)) // Model<[197, 192], [192]>
 */
export const takeToken = <const I extends number>(index: I): Layer<TakeToken<I>> =>
  defineLayer('takeToken', takeToken, [index], {
    config: { index },
    check: shape =>
      firstOf(
        () => (Number.isInteger(index) && index >= 0 ? undefined : problem('notAnIndex', `takeToken: index must be a whole number from 0, got ${String(index)}`)),
        () => tokens('takeToken', shape),
        () => (index < (shape[0] as number) ? undefined : misfit('noSuchToken', { index, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { reach: 'channel' },
    forward: x => reshape(slice(x, [index, 0], [1, x.shape[1] as number]), [x.shape[1] as number]),
  })

/** What generators may give {@link takeToken}. */
export const takeTokenArguments: Arguments = [choice.below('tokens')]
