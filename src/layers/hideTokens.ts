import { add, dropMask, multiply, reshape, scalar, step, subtract } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, rates, tokens } from './core/preconditions.js'
import type { KeepsTokens } from './tokenDropout.js'

/**
 * Hides tokens in training: each is replaced by a learned mask token with a probability, for a model that learns to say
 * what was there (Dosovitskiy et al., 2020, appendix B.1.2, which hides half of them). `[tokens, dim] → [tokens, dim]`.
 * In inference it does nothing. Which are hidden is to be had as the feature `mask` in the layer's place, `[tokens, 1]`,
 * 1 for a hidden one.
 *
 * Parameter: `mask_token [1, 1, dim]`. Errors: `expectsTokens`, `notARate`.
 *
 * @example
 * pipe(input(196, 768), hideTokens(0.5)) // Model<[196, 768], [196, 768]>
 */
export const hideTokens = (rate: number): Layer<KeepsTokens<'hideTokens'>> =>
  defineLayer('hideTokens', hideTokens, [rate], {
    config: { rate },
    scope: 'hide',
    check: shape => firstOf(() => rates('hideTokens', { rate }), () => tokens('hideTokens', shape)),
    parameters: shape => ({ mask_token: { shape: [1, 1, shape[1] as number], initialiser: { kind: 'normal', std: 0.02 } } }),
    traits: { reach: 'element', inert: { mask_token: 'nothing is hidden in inference' } },
    forward: (x, { mode, path, parameters, record }) => {
      if (mode === 'inference' || rate === 0) return x
      const [count, dim] = x.shape as readonly [number, number]
      // An inverted-dropout mask is 1/keep or 0; hidden is what it drops.
      const shown = step(dropMask(path, 1 - rate, [count, 1]))
      const hidden = record(`${path}.mask`, subtract(scalar(1), shown)) as Tensor
      return add(multiply(x, shown), multiply(reshape(parameters['mask_token']!, [1, dim]), hidden))
    },
  })

/** What generators may give {@link hideTokens}. */
export const hideTokensArguments: Arguments = [choice.rate]
