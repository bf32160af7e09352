import { multiply, scalar, step, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { binaryTerms } from './binaryTerms.js'
import type { CrossEntropyOptions } from './crossEntropy.js'
import { sameShapes } from './sameShapes.js'
import { smoothLabels } from './smoothLabels.js'

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends CrossEntropyOptions {
  /** Targets above it, smoothed or mixed as they are, count as 1 and all others as 0 (default: as they are). DeiT III takes 0. */
  readonly threshold?: number
  /** Whether the classes of a sample are averaged (the default) or added up. */
  readonly classes?: 'mean' | 'sum'
}

/**
 * Each class as a question of its own: cross-entropy of `sigmoid(logits)`, the mean over classes and batch (Wightman
 * et al., 2021, "ResNet strikes back"), as timm's `BinaryCrossEntropy`. `[..., numClasses], [..., numClasses] → []`.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * binaryCrossEntropy(ops.input('logits', [10]), ops.input('targets', [10])).shape // []
 */
export const binaryCrossEntropy = (logits: Tensor, targets: Tensor, { smoothing = 0, threshold, classes = 'mean' }: BinaryCrossEntropyOptions = {}): Tensor => {
  sameShapes('binaryCrossEntropy', ['logits', 'targets'], logits, targets)
  const smooth = smoothLabels(targets, smoothing)
  const loss = average(binaryTerms(logits, threshold === undefined ? smooth : step(subtract(smooth, scalar(threshold)))))
  return classes === 'mean' ? loss : multiply(loss, scalar(logits.shape.at(-1)!))
}
