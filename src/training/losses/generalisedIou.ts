import { add, divide, maximum, minimum, multiply, relu, reshape, scalar, slice, subtract } from '../../ops/ops.js'
import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'
import { sameShapes } from './sameShapes.js'

/** Keeps the quotients of boxes without any area finite. */
const least = 1e-9

/**
 * How much two boxes are one, box by box (Rezatofighi et al., 2019, "Generalized intersection over union", algorithm 1):
 * the share that they have in common, less the share of their hull that neither fills. From −1 (far apart) to 1 (the
 * same). `[..., 4], [..., 4] → [...]`; a box is the centre's x and y, width and height.
 *
 * Like an op, it throws an `OpError` where the shapes differ, or are not of boxes.
 *
 * @example
 * generalisedIou(ops.input('boxes', [100, 4]), ops.input('targets', [100, 4])).shape // [100]
 */
export const generalisedIou = (a: Tensor, b: Tensor): Tensor => {
  sameShapes('generalisedIou', ['boxes', 'targets'], a, b)
  if (a.shape.at(-1) !== 4) throw new OpError(`generalisedIou: expects boxes of four numbers, got ${show(a.shape)}`)
  const [first, second] = [cornersOf(a), cornersOf(b)]
  const shared = area(relu(subtract(minimum(first.high, second.high), maximum(first.low, second.low))))
  const union = subtract(add(area(first.size), area(second.size)), shared)
  const hull = area(subtract(maximum(first.high, second.high), minimum(first.low, second.low)))
  const share = (part: Tensor, whole: Tensor): Tensor => divide(part, maximum(whole, scalar(least)))
  return subtract(share(shared, union), share(subtract(hull, union), hull))
}

/** Two of the four numbers, or one of two. */
const part = (t: Tensor, begin: number, count: number): Tensor => slice(t, [...t.shape.slice(0, -1).map(() => 0), begin], [...t.shape.slice(0, -1), count])

const cornersOf = (boxes: Tensor): Readonly<Record<'low' | 'high' | 'size', Tensor>> => {
  const [centre, size] = [part(boxes, 0, 2), part(boxes, 2, 2)]
  const half = multiply(size, scalar(0.5))
  return { low: subtract(centre, half), high: add(centre, half), size }
}

/** `[..., 2] → [...]`: height times width. */
const area = (size: Tensor): Tensor => {
  const side = (i: 0 | 1): Tensor => reshape(part(size, i, 1), size.shape.slice(0, -1))
  return multiply(side(0), side(1))
}
