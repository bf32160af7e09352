import { add, multiply, scalar } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { crossEntropy } from './crossEntropy.js'
import { focal, type FocalOptions } from './focal.js'

/** Options of {@link smoothFocal}. */
export interface SmoothFocalOptions extends FocalOptions {
  /** Label smoothing of the cross-entropy (default 0.1). */
  readonly smoothing?: number
  /** The share of the focal loss, from 0 to 1 (default 0.5). */
  readonly share?: number
}

/**
 * A mix of two: `(1 − share) · crossEntropy(…, smoothing) + share · focal(…, gamma, alpha)`. The first keeps the model
 * from being too sure, the second turns it to hard samples. `[..., numClasses], [..., numClasses] → []`.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * smoothFocal(ops.input('logits', [10]), ops.input('targets', [10]), { share: 0.3 }).shape // []
 */
export const smoothFocal = (logits: Tensor, targets: Tensor, { smoothing = 0.1, share = 0.5, ...options }: SmoothFocalOptions = {}): Tensor =>
  add(multiply(scalar(1 - share), crossEntropy(logits, targets, { smoothing })), multiply(scalar(share), focal(logits, targets, options)))
