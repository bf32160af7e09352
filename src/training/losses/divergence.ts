import { exp, multiply, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { logSoftmax } from './logSoftmax.js'
import { sameShapes } from './sameShapes.js'

/**
 * How far the softmax of some logits is from that of a teacher's, `KL(teacher ‖ logits) = Σ t · (log t − log p)`, for each
 * row: `[..., classes], [..., classes] → [...]`. Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * divergence(ops.input('student', [196, 10]), ops.input('teacher', [196, 10])).shape // [196]
 */
export const divergence = (logits: Tensor, teacher: Tensor): Tensor => {
  sameShapes('divergence', ['logits', "the teacher's"], logits, teacher)
  const [ours, theirs] = [logSoftmax(logits), logSoftmax(teacher)]
  return sum(multiply(exp(theirs), subtract(theirs, ours)), [logits.shape.length - 1])
}
