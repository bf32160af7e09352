import { activations } from './core/activation.js'
import type { Arguments } from './core/choice.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'

/**
 * The rectifier `max(x, 0)` (Nair and Hinton, 2010). `[...] → [...]`. Errors: `expectsTensor`.
 *
 * @example
 * pipe(input(197, 192), relu()) // Model<[197, 192], [197, 192]>
 */
export const relu = (): Layer<KeepsShape<'relu'>> => elementwise('relu', relu, [], activations.relu)

/** What generators may give {@link relu}. */
export const reluArguments: Arguments = []
