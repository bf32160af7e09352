import { multiply, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { softplus } from './softplus.js'

/**
 * `−t·log σ(x) − (1 − t)·log(1 − σ(x))` of every element, which is `softplus(x) − t·x`. `[...], [...] → [...]`.
 *
 * @example
 * binaryTerms(ops.input('logits', [10]), ops.input('targets', [10])).shape // [10]
 */
export const binaryTerms = (logits: Tensor, targets: Tensor): Tensor => subtract(softplus(logits), multiply(targets, logits))
