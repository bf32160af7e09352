import { evaluate } from '../src/ops/definition/define.js'
import { fill, type Value } from '../src/ops/definition/value.js'
import { isOp, type Signal, type Tensor, tensorsOf } from '../src/ops/tensor.js'
import { sizeOf } from '../src/shape/shape.js'
import { collectNodes } from '../src/graph/graph.js'

/** The values of a leaf, batch axis first, as a flat list. */
export type Leaves = (node: Tensor<'input' | 'parameter' | 'dropMask'>, count: number) => ArrayLike<number>

/** What a graph computes by the definitions of its ops, one value for each tensor of its roots. */
export const evaluateGraph = (roots: readonly Signal[], batch: number, leaves: Leaves): readonly Value[] => {
  const values = new Map<Tensor, Value>()
  const outputs = roots.flatMap(tensorsOf)
  for (const node of collectNodes(outputs)) {
    const shape = [node.batched ? batch : 1, ...node.shape]
    if (isOp(node, 'constant')) values.set(node, fill(shape, i => node.attributes.data[i]!))
    else if (isOp(node, 'input') || isOp(node, 'parameter') || isOp(node, 'dropMask')) {
      const given = leaves(node, sizeOf(shape))
      values.set(node, fill(shape, i => given[i]!))
    } else values.set(node, evaluate(node, node.inputs.map(x => values.get(x)!), batch))
  }
  return outputs.map(t => values.get(t)!)
}
