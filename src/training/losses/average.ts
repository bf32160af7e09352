import { batchMean, mean } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * The mean over every axis and over the batch, where there is one: `[...] → []`, unbatched.
 *
 * @example
 * average(ops.input('x', [197, 192])).batched // false
 */
export const average = (x: Tensor): Tensor => {
  const perSample = x.shape.length === 0 ? x : mean(x, x.shape.map((_, axis) => axis))
  return perSample.batched ? batchMean(perSample) : perSample
}
