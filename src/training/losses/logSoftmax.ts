import { detach, exp, log, max, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * The logarithm of softmax over the last axis, `[..., classes] → [..., classes]`. The largest logit is taken off
 * first, so that no exponential overflows.
 *
 * @example
 * logSoftmax(ops.input('logits', [10])).shape // [10]
 */
export const logSoftmax = (logits: Tensor): Tensor => {
  const classes = [logits.shape.length - 1]
  // The result does not depend on what is subtracted; a gradient through it would be the rounding of a sum, all on the largest.
  const shifted = subtract(logits, detach(max(logits, classes, true)))
  return subtract(shifted, log(sum(exp(shifted), classes, true)))
}
