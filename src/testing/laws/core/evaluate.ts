import { dropMaskValues } from '../../../backends/dropMaskValues.js'
import { collectNodes } from '../../../graph/graph.js'
import { evaluate as evaluateNode } from '../../../ops/definition/define.js'
import { fill, type Value } from '../../../ops/definition/value.js'
import { isOp, valueShape, type Tensor } from '../../../ops/tensor.js'
import { sizeOf } from '../../../shape/shape.js'

/** Values of the leaves of a graph. */
export interface Leaves {
  readonly batch: number
  /** By the input node's name. */
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>
  readonly weights: ReadonlyMap<string, ArrayLike<number>>
  /** Of the random streams of training (default 0). */
  readonly seed?: number
  readonly step?: number
}

/**
 * What some nodes are by the definitions of their ops, in double precision; the batch axis in front, 1 where there is
 * none. Leaves that are not given throw: laws give all of them.
 */
export const evaluate = (roots: readonly Tensor[], { batch, inputs, weights, seed = 0, step = 0 }: Leaves): readonly Value[] => {
  const values = new Map<Tensor, Value>()
  const given = (node: Tensor, data: ArrayLike<number> | undefined): Value => {
    const shape = valueShape(node, batch)
    if (data?.length !== sizeOf(shape)) throw new Error(`evaluate: ${node.op} needs ${sizeOf(shape)} values and was given ${data?.length ?? 'none'}`)
    return fill(shape, i => data[i]!)
  }
  for (const node of collectNodes(roots)) {
    if (isOp(node, 'constant')) values.set(node, given(node, node.attributes.data))
    else if (isOp(node, 'input')) values.set(node, given(node, inputs.get(node.attributes.name)))
    else if (isOp(node, 'parameter')) values.set(node, given(node, weights.get(node.attributes.name)))
    else if (isOp(node, 'dropMask')) values.set(node, given(node, dropMaskValues(node.attributes.stream, seed, step, node.attributes.keep, sizeOf(valueShape(node, batch)))))
    else values.set(node, evaluateNode(node, node.inputs.map(x => values.get(x)!), batch))
  }
  return roots.map(root => values.get(root)!)
}
