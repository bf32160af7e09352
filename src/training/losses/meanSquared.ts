import { multiply, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { sameShapes } from './sameShapes.js'

/**
 * The mean of squared differences, over all axes and the batch. `[...], [...] → []`.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * meanSquared(ops.input('predicted', [3]), ops.input('targets', [3])).shape // []
 */
export const meanSquared = (predicted: Tensor, targets: Tensor): Tensor => {
  sameShapes('meanSquared', ['predictions', 'targets'], predicted, targets)
  const difference = subtract(predicted, targets)
  return average(multiply(difference, difference))
}
