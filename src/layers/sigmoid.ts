import { sigmoid as sigmoidOp } from '../ops/ops.js'
import type { Arguments } from './core/choice.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'

/**
 * The logistic function `1 / (1 + e⁻ˣ)`, from 0 to 1. `[...] → [...]`. Errors: `expectsTensor`.
 *
 * @example
 * pipe(input(100, 4), sigmoid()) // Model<[100, 4], [100, 4]>
 */
export const sigmoid = (): Layer<KeepsShape<'sigmoid'>> => elementwise('sigmoid', sigmoid, [], x => sigmoidOp(x))

/** What generators may give {@link sigmoid}. */
export const sigmoidArguments: Arguments = []
