import { batchSum, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * The sum over every axis and over the batch, where there is one: `[...] → []`, unbatched. A mean in which elements weigh
 * differently is the quotient of two such sums.
 *
 * @example
 * total(ops.input('x', [197, 192])).batched // false
 */
export const total = (x: Tensor): Tensor => {
  const perSample = x.shape.length === 0 ? x : sum(x, x.shape.map((_, axis) => axis))
  return perSample.batched ? batchSum(perSample) : perSample
}
