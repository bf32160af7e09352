import { multiply, scalar, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { logSoftmax } from './logSoftmax.js'
import { sameShapes } from './sameShapes.js'
import { smoothLabels } from './smoothLabels.js'

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** The share of every target that is spread over all classes (default 0). */
  readonly smoothing?: number
}

/**
 * Cross-entropy of softmax with distributions: `−Σ targets · log softmax(logits)`, the mean over the batch and over
 * axes before the last. `[..., numClasses], [..., numClasses] → []`. Targets may be soft; {@link oneHot} makes them of
 * class numbers. With smoothing it is PyTorch's `cross_entropy(…, label_smoothing)`.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * crossEntropy(ops.input('logits', [10]), losses.oneHot(ops.input('labels', [], 'int32'), 10), { smoothing: 0.1 }).shape // []
 */
export const crossEntropy = (logits: Tensor, targets: Tensor, { smoothing = 0 }: CrossEntropyOptions = {}): Tensor => {
  sameShapes('crossEntropy', ['logits', 'targets'], logits, targets)
  const agreement = sum(multiply(smoothLabels(targets, smoothing), logSoftmax(logits)), [logits.shape.length - 1])
  return multiply(scalar(-1), average(agreement))
}
