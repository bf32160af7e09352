import { concat, constant, dropMask, multiply } from '../ops/ops.js'
import { show } from '../shape/shape.js'
import { type Expects, misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { counts, firstOf, rates, tokens } from './core/preconditions.js'

/** Options of {@link tokenDropout}. */
export interface TokenDropoutConfig {
  /** How many tokens at the front (class token, registers) are never dropped (default 0). */
  readonly prefixTokens?: number
}

/** Keeps tokens×channels. */
export interface KeepsTokens<Name extends string> extends ShapeFunction {
  readonly out: this['in'] extends readonly [number, number] ? this['in'] : Expects<'expectsTokens', Name, this['in']>
}

/**
 * Drops whole tokens in training: sets all their channels to zero and scales the rest by `1/(1 − rate)`,
 * so that shapes stay static. `[tokens, dim] → [tokens, dim]`. In inference it does nothing.
 * Errors: `expectsTokens`, `notARate`, `notACount`, `prefixTooLong`.
 *
 * @example
 * pipe(input(197, 192), tokenDropout(0.25, { prefixTokens: 1 })) // Model<[197, 192], [197, 192]>
 */
export const tokenDropout = (rate: number, config: TokenDropoutConfig = {}): Layer<KeepsTokens<'tokenDropout'>> => {
  const { prefixTokens = 0 } = config
  return defineLayer('tokenDropout', tokenDropout, [rate, config], {
    config: { rate, prefixTokens },
    scope: 'token_drop',
    check: shape =>
      firstOf(
        () => rates('tokenDropout', { rate }),
        () => counts('tokenDropout', { prefixTokens }),
        () => tokens('tokenDropout', shape),
        () => (prefixTokens < (shape[0] as number) ? undefined : misfit('prefixTooLong', { layer: 'tokenDropout', prefixTokens, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { reach: 'element', drops: 'place' },
    forward: (x, { mode, path }) => {
      if (mode === 'inference' || rate === 0) return x
      const mask = dropMask(path, 1 - rate, [(x.shape[0] as number) - prefixTokens, 1])
      return multiply(x, prefixTokens === 0 ? mask : concat([constant(new Float32Array(prefixTokens).fill(1), [prefixTokens, 1]), mask], 0))
    },
  })
}

/** What generators may give {@link tokenDropout}. */
export const tokenDropoutArguments: Arguments = [choice.rate, choice.options({}, { prefixTokens: choice.below('tokens') })]
