import * as ops from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { sameShape } from '../../shape/shape.js'

/**
 * A contribution to the gradient of `x` in the shape and batch of `x`: what broadcasting repeated is summed,
 * over the batch too where `x` has none, and what all samples share is repeated.
 *
 * @example
 * fit(ops.input('dy', [7, 3]), ops.parameter('b', [3], { kind: 'zeros' })).shape // [3]
 */
export const fit = (dy: Tensor, x: Tensor): Tensor => {
  const extra = dy.shape.length - x.shape.length
  const size = (axis: number): number => (axis < extra ? 1 : x.shape[axis - extra]!)
  const repeated = dy.shape.flatMap((own, axis) => (own !== size(axis) && size(axis) === 1 ? [axis] : []))
  const summed = repeated.length === 0 ? dy : ops.sum(dy, repeated, true)
  const shared = summed.batched && !x.batched ? ops.batchSum(summed) : summed
  const lined = shared.shape.length === x.shape.length ? shared : ops.reshape(shared, shared.shape.slice(extra))
  return sameShape(lined.shape, x.shape) && lined.batched === x.batched ? lined : ops.broadcast(lined, x.shape, x.batched)
}
