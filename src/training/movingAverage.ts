import { add, multiply, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'

/**
 * The exponential moving average of a weight (Polyak and Juditsky, 1992): `decay · average + (1 − decay) · weight`. It
 * begins with the weight itself. `[...], [...] → [...]`.
 *
 * @example
 * movingAverage(ops.scalar(1), ops.scalar(2), 0.9).shape // []
 */
export const movingAverage = (average: Tensor, weight: Tensor, decay: number): Tensor => add(multiply(scalar(decay), average), multiply(scalar(1 - decay), weight))
