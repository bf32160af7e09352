import { collectNodes } from '../graph/graph.js'
import { withInputs } from '../ops/ops.js'
import { mapSignal, tensorsOf, type Signal, type Tensor } from '../ops/tensor.js'

/** A pass: some signals to signals that mean the same. The roots of a graph are its output and kept features. */
export type Pass = (roots: readonly Signal[]) => readonly Signal[]

/**
 * A pass that looks at one node at a time, inputs first. `rewrite` gets the node over its rewritten inputs, and the node
 * as it was, and returns something that means the same. `begin`, where there is one, looks at the whole graph first.
 */
export const rewriting = <G = undefined>(rewrite: (node: Tensor, original: Tensor, graph: G) => Tensor, begin?: (nodes: readonly Tensor[], roots: readonly Tensor[]) => G): Pass => roots => {
  const done = new Map<Tensor, Tensor>()
  const outputs = roots.flatMap(tensorsOf)
  const nodes = collectNodes(outputs)
  const graph = begin?.(nodes, outputs) as G
  // Most nodes of most passes stay as they are; for those nothing is allocated.
  for (const node of nodes) done.set(node, rewrite(node.inputs.every(x => done.get(x) === x) ? node : withInputs(node, node.inputs.map(x => done.get(x) as Tensor)), node, graph))
  return roots.map(root => mapSignal(root, t => done.get(t) as Tensor))
}

/** How often each node is used: as an input, or as an output of the graph. */
export const usesOf = (nodes: readonly Tensor[], roots: readonly Tensor[]): ReadonlyMap<Tensor, number> => {
  const uses = new Map<Tensor, number>()
  for (const x of [...nodes.flatMap(n => n.inputs), ...roots]) uses.set(x, (uses.get(x) ?? 0) + 1)
  return uses
}
