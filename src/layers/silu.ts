import { activations } from './core/activation.js'
import type { Arguments } from './core/choice.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'

/**
 * The sigmoid-weighted unit `x·σ(x)` (Elfwing et al., 2017). `[...] → [...]`. Errors: `expectsTensor`.
 *
 * @example
 * pipe(input(197, 192), silu()) // Model<[197, 192], [197, 192]>
 */
export const silu = (): Layer<KeepsShape<'silu'>> => elementwise('silu', silu, [], activations.silu)

/** What generators may give {@link silu}. */
export const siluArguments: Arguments = []
