import { maximum, power, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * The focal weight of a probability, `(1 − p)^gamma`, `[...] → [...]`. It does not reach 0: rounding may leave `1 − p`
 * below, and a power below 1 has no slope there.
 *
 * @example
 * focus(ops.input('p', [10]), 2).shape // [10]
 */
export const focus = (p: Tensor, gamma: number): Tensor => power(maximum(subtract(scalar(1), p), scalar(1e-12)), gamma)
