import { add, divide, multiply, scalar, softmax, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { sameShapes } from './sameShapes.js'

/** Options of {@link dice}. */
export interface DiceOptions {
  /** Added to both sides of the quotient, so that a class that is nowhere costs nothing (default 1). */
  readonly smooth?: number
}

/**
 * How little the predicted regions overlap with those there are (Milletari et al., 2016, "V-Net", section 3): `1 − (2 Σ p·t
 * + s) / (Σ p² + Σ t² + s)`, `p` being softmax of the logits, the sums over the pixels of one class in one image; the mean
 * over classes and batch. `[..., numClasses], [..., numClasses] → []`, from 0 to 1. {@link oneHot} makes targets.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * dice(ops.input('logits', [64, 64, 2]), losses.oneHot(ops.input('labels', [64, 64], 'int32'), 2)).shape // []
 */
export const dice = (logits: Tensor, targets: Tensor, { smooth = 1 }: DiceOptions = {}): Tensor => {
  sameShapes('dice', ['logits', 'targets'], logits, targets)
  const pixels = logits.shape.slice(0, -1).map((_, axis) => axis)
  const over = (x: Tensor): Tensor => sum(x, pixels)
  const p = softmax(logits)
  const [shared, all] = [over(multiply(p, targets)), add(over(multiply(p, p)), over(multiply(targets, targets)))]
  return average(subtract(scalar(1), divide(add(multiply(shared, scalar(2)), scalar(smooth)), add(all, scalar(smooth)))))
}
