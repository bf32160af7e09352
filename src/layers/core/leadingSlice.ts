import { slice } from '../../ops/ops.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { problem } from '../../shape/problem.js'
import { sameShape, show, type Shape } from '../../shape/shape.js'
import { Refusal } from './refuse.js'

/** The first elements of a weight of a larger layer along each of its axes: what a smaller layer takes of it. */
export const leadingSlice = (name: string, whole: Tensor | undefined, shape: Shape): Tensor => {
  if (whole === undefined) throw new Refusal(problem('notAPart', `subnetwork: the whole has no weight '${name}' for the part to take a slice of`))
  if (sameShape(whole.shape, shape)) return whole
  const isStatistic = isOp(whole, 'parameter') && whole.attributes.role === 'buffer'
  if (isStatistic) throw new Refusal(problem('notAPart', `subnetwork: '${name}' is a running statistic, of which no slice can be kept apart`, { remedy: 'use layerNorm, or as many channels in the part as in the whole' }))
  const fits = whole.shape.length === shape.length && shape.every((size, axis) => size <= whole.shape[axis]!)
  if (!fits) throw new Refusal(problem('notAPart', `subnetwork: '${name}' is ${show(shape)} in the part and ${show(whole.shape)} in the whole`, { expected: `at most ${show(whole.shape)}`, actual: show(shape) }))
  return slice(whole, shape.map(() => 0), shape)
}
