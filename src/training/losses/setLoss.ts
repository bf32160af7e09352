import { add, constant, divide, maximum, multiply, relu, scalar, slice, subtract, sum } from '../../ops/ops.js'
import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { sameShape, show } from '../../shape/shape.js'
import { generalisedIou } from './generalisedIou.js'
import { logSoftmax } from './logSoftmax.js'
import { oneHot } from './oneHot.js'
import { total } from './total.js'

/** What a detector gives, and what it should give: of each query scores and a box, or a class and a box. */
export interface SetTargets {
  /** The class of each query's object, or `numClasses` where it has none: `integers [queries]`. */
  readonly classes: Tensor
  /** `[queries, 4]`; those of queries without an object count for nothing. */
  readonly boxes: Tensor
}

/** Options of {@link setLoss}; the defaults are DETR's. */
export interface SetLossOptions {
  /** How much a query without an object weighs in the cross-entropy (default 0.1). */
  readonly noObject?: number
  /** The weight of the distance between boxes (default 5). */
  readonly boxWeight?: number
  /** The weight of what boxes miss of each other (default 2). */
  readonly iouWeight?: number
}

/**
 * The loss of a detector whose queries have been given objects by `matchQueries` (Carion et al., 2020, "DETR", section
 * 3.1): cross-entropy of classes, and, for each object of the batch, the L1 distance of boxes and `1 −` their generalised
 * intersection over union. `{ logits: [queries, numClasses + 1], boxes: [queries, 4] }, { classes: integers [queries],
 * boxes: [queries, 4] } → []`.
 *
 * Like an op, it throws an `OpError` where shapes do not fit.
 *
 * @example
 * setLoss({ logits: ops.input('logits', [100, 81]), boxes: ops.input('boxes', [100, 4]) }, { classes: ops.input('classes', [100], 'int32'), boxes: ops.input('targets', [100, 4]) }).shape // []
 */
export const setLoss = ({ logits, boxes }: Readonly<Record<'logits' | 'boxes', Tensor>>, targets: SetTargets, { noObject = 0.1, boxWeight = 5, iouWeight = 2 }: SetLossOptions = {}): Tensor => {
  const [queries, scores] = logits.shape as readonly [number, number]
  const fits = sameShape(boxes.shape, [queries, 4]) && sameShape(targets.boxes.shape, [queries, 4]) && sameShape(targets.classes.shape, [queries])
  if (!fits) throw new OpError(`setLoss: scores of ${show(logits.shape)} go with boxes of ${queries}×4 and ${queries} classes, got ${show(boxes.shape)}, ${show(targets.boxes.shape)} and ${show(targets.classes.shape)}`)
  const chosen = oneHot(targets.classes, scores)
  const weighted = multiply(chosen, constant(Float32Array.from({ length: scores }, (_, i) => (i === scores - 1 ? noObject : 1)), [scores]))
  const classLoss = divide(subtract(scalar(0), total(multiply(weighted, logSoftmax(logits)))), total(weighted))
  const found = sum(slice(chosen, [0, 0], [queries, scores - 1]), [1])
  const objects = maximum(total(found), scalar(1))
  const apart = subtract(boxes, targets.boxes)
  const distance = sum(add(relu(apart), relu(subtract(targets.boxes, boxes))), [1])
  const missed = subtract(scalar(1), generalisedIou(boxes, targets.boxes))
  const boxLoss = add(multiply(distance, scalar(boxWeight)), multiply(missed, scalar(iouWeight)))
  return add(classLoss, divide(total(multiply(found, boxLoss)), objects))
}
