import { OpError } from '../../ops/opError.js'
import { constant, exp, multiply, scalar, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { focus } from './focus.js'
import { logSoftmax } from './logSoftmax.js'
import { sameShapes } from './sameShapes.js'

/** Options of {@link focal}. */
export interface FocalOptions {
  /** How much less an easy sample weighs (default 2; 0 is plain cross-entropy). */
  readonly gamma?: number
  /** A weight for each class (default 1). */
  readonly alpha?: readonly number[]
}

/**
 * Focal loss (Lin et al., 2017, equation 5) over softmax: `−Σ alpha · targets · (1 − p)^gamma · log p`, the mean over
 * the batch and over axes before the last. `[..., numClasses], [..., numClasses] → []`.
 *
 * Like an op, it throws an `OpError` where the shapes differ, or where `alpha` has not one weight a class.
 *
 * @example
 * focal(ops.input('logits', [10]), ops.input('targets', [10]), { gamma: 1.5 }).shape // []
 */
export const focal = (logits: Tensor, targets: Tensor, { gamma = 2, alpha }: FocalOptions = {}): Tensor => {
  sameShapes('focal', ['logits', 'targets'], logits, targets)
  const numClasses = logits.shape.at(-1)
  if (alpha !== undefined && alpha.length !== numClasses) throw new OpError(`focal: alpha (loss.config.alpha) has ${alpha.length} weights, but there are ${numClasses} classes`)
  const logP = logSoftmax(logits)
  const weighted = alpha === undefined ? targets : multiply(targets, constant(Float32Array.from(alpha), [alpha.length]))
  const terms = multiply(weighted, multiply(focus(exp(logP), gamma), logP))
  return multiply(scalar(-1), average(sum(terms, [logits.shape.length - 1])))
}
