import { multiply } from '../ops/ops.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { channels } from './core/preconditions.js'
import type { KeepsChannels } from './layerNorm.js'

/**
 * A learned scale of each channel, begun small (Touvron et al., 2021, "Going deeper with image
 * transformers", section 2). `[..., dim] → [..., dim]`.
 *
 * Parameter: `gamma [dim]`, under `ls`. Errors: `expectsChannels`.
 *
 * @param init the value every scale begins with (default 1e-5)
 *
 * @example
 * pipe(input(197, 192), layerScale(1e-6)) // Model<[197, 192], [197, 192]>
 */
export const layerScale = (init = 1e-5): Layer<KeepsChannels<'layerScale'>> =>
  defineLayer('layerScale', layerScale, [init], {
    config: { init },
    scope: 'ls',
    check: shape => channels('layerScale', shape),
    parameters: shape => ({ gamma: { shape: [shape.at(-1) as number], initialiser: { kind: 'constant', value: init } } }),
    traits: { reach: 'element' },
    forward: (x, { parameters }) => multiply(x, parameters['gamma']!),
  })

/** What generators may give {@link layerScale}. */
export const layerScaleArguments: Arguments = [choice.among(1e-5, 0.1, 1)]
