import * as ops from '../ops/ops.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { sameShape, type Shape } from '../shape/shape.js'

/** A tensor under another shape, no reshape being made of a reshape, nor one that changes nothing. */
export const reshaped = (t: Tensor, shape: Shape): Tensor => {
  if (sameShape(t.shape, shape)) return t
  return isOp(t, 'reshape') ? reshaped(t.inputs[0]!, shape) : ops.reshape(t, shape)
}
