import { activations } from './core/activation.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'

/**
 * Exponentials over the last axis, scaled to sum to one. `[...] → [...]`. Errors: `expectsTensor`.
 *
 * @example
 * pipe(input(197, 192), softmax()) // Model<[197, 192], [197, 192]>
 */
export const softmax = (): Layer<KeepsShape<'softmax'>> => elementwise('softmax', softmax, [], activations.softmax)
