import { show } from '../shape/shape.js'
import { demand, node } from './node.js'
import type { Tensor } from './tensor.js'

/**
 * The samples in the opposite order, which pairs each with another: `batched [...] → batched [...]`.
 *
 * @example
 * ops.batchReverse(ops.input('x', [3])).batched // true
 */
export const batchReverse = (x: Tensor): Tensor<'batchReverse'> => {
  demand(x.batched, 'batchReverse: expects a batched tensor')
  return node('batchReverse', [x], {}, x.shape, x.dtype)
}

/**
 * The samples as an axis in front, so that they can be compared with each other: `batched [...] → [samples, ...]`, not
 * batched. A graph with it runs on exactly that many samples.
 *
 * @example
 * ops.batchToAxis(ops.input('x', [512]), 16).shape // [16, 512]
 */
export const batchToAxis = (x: Tensor, samples: number): Tensor<'batchToAxis'> => {
  demand(x.batched && samples >= 1, 'batchToAxis: expects a batched tensor, and a number of samples')
  return node('batchToAxis', [x], {}, [samples, ...x.shape], x.dtype)
}

/**
 * The first axis as the samples: `[samples, ...] → batched [...]`, the inverse of `batchToAxis`.
 *
 * @example
 * ops.axisToBatch(ops.parameter('w', [16, 512], { kind: 'zeros' })).shape // [512]
 */
export const axisToBatch = (x: Tensor): Tensor<'axisToBatch'> => {
  demand(!x.batched && x.shape.length >= 1, () => `axisToBatch: expects an unbatched tensor with an axis of samples, not ${show(x.shape)}`)
  return node('axisToBatch', [x], {}, x.shape.slice(1), x.dtype)
}
