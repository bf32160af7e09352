import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { Same } from '../shape/shapeFunction.js'
import type { Arguments } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'

/**
 * Passes its signal on: the unit of `serial`. `[...] → [...]`, records too.
 *
 * @example
 * pipe(input(197, 192), identity()) // Model<[197, 192], [197, 192]>
 */
export const identity = (): Layer<Same> => defineLayer<Same, Signal, SignalShape>('identity', identity, [], { accepts: 'any', forward: x => x })

/** What generators may give {@link identity}. */
export const identityArguments: Arguments = []
