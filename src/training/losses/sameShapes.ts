import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { sameShape, show } from '../../shape/shape.js'

/** Refuses tensors of different shapes, which would broadcast to a loss of something else. */
export const sameShapes = (loss: string, names: readonly [string, string], a: Tensor, b: Tensor): void => {
  if (!sameShape(a.shape, b.shape)) throw new OpError(`${loss}: ${names[0]} are ${show(a.shape)}, but ${names[1]} are ${show(b.shape)}`)
}
