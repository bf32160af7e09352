import { collectNodes } from '../graph/graph.js'
import { withInputs } from '../ops/ops.js'
import { mapSignal, tensorsOf, type Signal, type Tensor } from '../ops/tensor.js'

/** A pass: some signals to signals that mean the same. The roots of a graph are its output and kept features. */
export type Pass = (roots: readonly Signal[]) => readonly Signal[]

/**
 * A pass that looks at one node at a time, inputs first. `rewrite` gets the node over its rewritten inputs
 * and returns it, or something that means the same.
 */
export const rewriting = (rewrite: (node: Tensor) => Tensor): Pass => roots => {
  const done = new Map<Tensor, Tensor>()
  for (const node of collectNodes(roots.flatMap(tensorsOf))) done.set(node, rewrite(withInputs(node, node.inputs.map(x => done.get(x) as Tensor))))
  return roots.map(root => mapSignal(root, t => done.get(t) as Tensor))
}
