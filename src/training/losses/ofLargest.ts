import { divide, max, scalar, step, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * The class with the largest number as a distribution, `[..., classes] → [..., classes]`: 1 there, 0 elsewhere. Classes
 * that tie share it.
 *
 * @example
 * ofLargest(ops.input('logits', [10])).shape // [10]
 */
export const ofLargest = (x: Tensor): Tensor => {
  const classes = [x.shape.length - 1]
  const isLargest = subtract(scalar(1), step(subtract(max(x, classes, true), x)))
  return divide(isLargest, sum(isLargest, classes, true))
}
