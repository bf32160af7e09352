import { add, multiply, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'

/**
 * One of `parts` gradients added to their mean, which begins with zeros: `total + gradient / parts`. The mean over
 * equal parts of a batch is the gradient of the whole. `[...], [...] → [...]`.
 *
 * @example
 * accumulate(ops.scalar(0), ops.scalar(6), 3).shape // []
 */
export const accumulate = (total: Tensor, gradient: Tensor, parts: number): Tensor => add(total, parts === 1 ? gradient : multiply(gradient, scalar(1 / parts)))
