import { activations } from './core/activation.js'
import type { Arguments } from './core/choice.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'

/**
 * The hyperbolic tangent. `[...] → [...]`. Errors: `expectsTensor`.
 *
 * @example
 * pipe(input(197, 192), tanh()) // Model<[197, 192], [197, 192]>
 */
export const tanh = (): Layer<KeepsShape<'tanh'>> => elementwise('tanh', tanh, [], activations.tanh)

/** What generators may give {@link tanh}. */
export const tanhArguments: Arguments = []
