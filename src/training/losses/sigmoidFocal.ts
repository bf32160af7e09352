import { add, multiply, scalar, sigmoid, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { binaryTerms } from './binaryTerms.js'
import { focus } from './focus.js'
import { sameShapes } from './sameShapes.js'

/** Options of {@link sigmoidFocal}. */
export interface SigmoidFocalOptions {
  readonly gamma?: number
  /** The weight of what is there; what is not weighs `1 − alpha` (default 0.25; below 0 both weigh 1). */
  readonly alpha?: number
}

/**
 * Focal loss with each class as a question of its own (Lin et al., 2017, section 3; `sigmoid_focal_loss` of
 * torchvision), the mean over classes and batch. `[..., numClasses], [..., numClasses] → []`.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * sigmoidFocal(ops.input('logits', [10]), ops.input('targets', [10])).shape // []
 */
export const sigmoidFocal = (logits: Tensor, targets: Tensor, { gamma = 2, alpha = 0.25 }: SigmoidFocalOptions = {}): Tensor => {
  sameShapes('sigmoidFocal', ['logits', 'targets'], logits, targets)
  const p = sigmoid(logits)
  const either = (ifThere: Tensor, ifNot: Tensor): Tensor => add(multiply(ifThere, targets), multiply(ifNot, subtract(scalar(1), targets)))
  const terms = multiply(binaryTerms(logits, targets), focus(either(p, subtract(scalar(1), p)), gamma))
  return average(alpha < 0 ? terms : multiply(either(scalar(alpha), scalar(1 - alpha)), terms))
}
