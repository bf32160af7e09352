import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { binaryTerms } from './binaryTerms.js'
import type { CrossEntropyOptions } from './crossEntropy.js'
import { sameShapes } from './sameShapes.js'
import { smoothLabels } from './smoothLabels.js'

/**
 * Each class as a question of its own: cross-entropy of `sigmoid(logits)`, the mean over classes and batch (Wightman
 * et al., 2021, "ResNet strikes back"). `[..., numClasses], [..., numClasses] → []`.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * binaryCrossEntropy(ops.input('logits', [10]), ops.input('targets', [10])).shape // []
 */
export const binaryCrossEntropy = (logits: Tensor, targets: Tensor, { smoothing = 0 }: CrossEntropyOptions = {}): Tensor => {
  sameShapes('binaryCrossEntropy', ['logits', 'targets'], logits, targets)
  return average(binaryTerms(logits, smoothLabels(targets, smoothing)))
}
