import { collectNodes } from '../graph/graph.js'
import { isOfRun, tensorsOf, type Signal, type Tensor } from '../ops/tensor.js'

/** A graph as passes see it: what its roots reach, in order, and what several passes want to know of that. */
export class Listing {
  /** The tensors of its roots. */
  readonly outputs: readonly Tensor[]
  /** Every node, inputs before users. */
  readonly nodes: readonly Tensor[]
  private counted: ReadonlyMap<Tensor, number> | undefined
  private found: ReadonlySet<Tensor> | undefined

  constructor(readonly roots: readonly Signal[]) {
    this.outputs = roots.flatMap(tensorsOf)
    this.nodes = collectNodes(this.outputs)
  }

  /** How often each node is used: as an input, or as an output of the graph. */
  get uses(): ReadonlyMap<Tensor, number> {
    return (this.counted ??= usesOf(this))
  }

  /** Nodes that depend on weights alone. */
  get settled(): ReadonlySet<Tensor> {
    return (this.found ??= settledOf(this))
  }
}

/** Roots are values that nobody changes: whoever asks for those of one graph again gets what was found before. */
const listings = new WeakMap<readonly Signal[], Listing>()

/**
 * What is known of a graph. A pass that changes nothing gives back the roots that it was given, and so leaves to the next
 * one what is known: most passes leave most graphs alone, and ordering thousands of nodes costs more than a pass does.
 */
export const listing = (roots: readonly Signal[]): Listing => {
  const known = listings.get(roots) ?? new Listing(roots)
  listings.set(roots, known)
  return known
}

const usesOf = ({ nodes, outputs }: Listing): ReadonlyMap<Tensor, number> => {
  const uses = new Map<Tensor, number>()
  const count = (users: readonly Tensor[]): void => {
    for (let i = 0; i < users.length; i++) uses.set(users[i]!, (uses.get(users[i]!) ?? 0) + 1)
  }
  for (const { inputs } of nodes) count(inputs)
  count(outputs)
  return uses
}

const settledOf = ({ nodes }: Listing): ReadonlySet<Tensor> => {
  const settled = new Set<Tensor>()
  for (const n of nodes) if (!isOfRun(n) && n.inputs.every(x => settled.has(x))) settled.add(n)
  return settled
}
