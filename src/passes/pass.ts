import { withInputs } from '../ops/ops.js'
import { mapSignal, type OpKind, type Signal, type Tensor } from '../ops/tensor.js'
import { listing, type Listing } from './listing.js'

/** A pass: some signals to signals that mean the same. The roots of a graph are its output and kept features. */
export type Pass = (roots: readonly Signal[]) => readonly Signal[]

/**
 * What becomes of a node, which means the same. It is given over what its inputs have become, and as it was; with the
 * graph as it was, and what any node before it has become.
 */
export type Rule<K extends OpKind = OpKind> = (node: Tensor<K>, original: Tensor<K>, graph: Listing, now: Become) => Tensor

/** Rules by op; nodes of other ops stay as they are, over what their inputs have become. */
export type Rules = { readonly [K in OpKind]?: Rule<K> }

/** What a node of a graph has become. */
export type Become = (original: Tensor) => Tensor

/** A pass that looks at one node at a time, inputs first: by a rule for each op that it is about, or by one for all. */
export const rewriting = (rules: Rules | Rule): Pass => roots => {
  const graph = listing(roots)
  return replaced(graph, rewritten(graph, rules))
}

/** What every node of a graph becomes. */
export const rewritten = (graph: Listing, rules: Rules | Rule): Become => {
  // Most nodes of most passes stay as they are: nothing is kept of those.
  const changed = new Map<Tensor, Tensor>()
  const now: Become = x => changed.get(x) ?? x
  for (const original of graph.nodes) {
    const rule = typeof rules === 'function' ? rules : (rules[original.op] as Rule | undefined)
    const node = changed.size > 0 && original.inputs.some(x => changed.has(x)) ? withInputs(original, original.inputs.map(now)) : original
    const made = rule === undefined ? node : rule(node, original, graph, now)
    if (made !== original) changed.set(original, made)
  }
  return now
}

/** The roots of a graph over what its nodes have become: the very same ones if that is what they were. */
export const replaced = ({ roots, outputs }: Listing, now: Become): readonly Signal[] => (outputs.every(t => now(t) === t) ? roots : roots.map(root => mapSignal(root, now)))
