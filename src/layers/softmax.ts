import { activations } from './core/activation.js'
import type { Arguments } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { channels } from './core/preconditions.js'
import type { KeepsChannels } from './layerNorm.js'

/**
 * Exponentials over the last axis, scaled to sum to one. `[..., dim] → [..., dim]`. Errors: `expectsChannels`.
 *
 * @example
 * pipe(input(197, 192), softmax()) // Model<[197, 192], [197, 192]>
 */
export const softmax = (): Layer<KeepsChannels<'softmax'>> =>
  defineLayer('softmax', softmax, [], {
    check: shape => channels('softmax', shape),
    traits: { reach: 'place' },
    forward: x => activations.softmax(x),
  })

/** What generators may give {@link softmax}. */
export const softmaxArguments: Arguments = []
