import { show } from '../shape/shape.js'
import { type Expects, misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, rates } from './core/preconditions.js'
import { drop } from './dropout.js'

/** The shape function of {@link attentionDropout}. */
export interface AttentionDropout extends ShapeFunction {
  readonly out: this['in'] extends readonly [number, number, number] ? this['in'] : Expects<'expectsWeights', 'attentionDropout', this['in']>
}

/**
 * Drops single attention weights in training (Vaswani et al., 2017, section 5.4), after the softmax.
 * `[heads, queries, keys] → [heads, queries, keys]`. In inference it does nothing. `selfAttention` applies
 * it where its own `attentionDropout` option is set. Errors: `expectsWeights`, `notARate`.
 *
 * @example
 * pipe(input(3, 197, 197), attentionDropout(0.1)) // Model<[3, 197, 197], [3, 197, 197]>
 */
export const attentionDropout = (rate: number): Layer<AttentionDropout> =>
  defineLayer('attentionDropout', attentionDropout, [rate], {
    config: { rate },
    scope: 'attn_drop',
    check: shape =>
      firstOf(
        () => rates('attentionDropout', { rate }),
        () => (shape.length === 3 ? undefined : misfit('expectsWeights', { layer: 'attentionDropout', shape: show(shape) })),
      ),
    traits: { reach: 'element', drops: 'element' },
    forward: (x, context) => drop(x, rate, x.shape, context),
  })

/** What generators may give {@link attentionDropout}. */
export const attentionDropoutArguments: Arguments = [choice.rate]
