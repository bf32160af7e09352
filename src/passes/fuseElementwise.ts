import * as ops from '../ops/ops.js'
import type { ElementwiseOp, ElementwiseStep, OpKind, Tensor } from '../ops/tensor.js'
import { sameShape } from '../shape/shape.js'
import { listing, type Listing } from './listing.js'
import { replaced, rewritten, type Become, type Pass } from './pass.js'

/**
 * Does elementwise ops in a row in one pass over memory, where what lies between is used by nothing else.
 *
 * Worth, on wasm with one thread: CoAtNet-0 holds 10.8 MB of activations instead of 15.7; the updates of AdamW for six
 * million parameters are 1.2 times faster, which is 1.00 of a whole training step.
 */
export const fuseElementwise: Pass = roots => {
  const graph = listing(roots)
  const groups = groupsOf(graph)
  if (groups.size === 0) return roots
  return replaced(graph, rewritten(graph, (node, original, _, now) => {
    const members = groups.get(original)
    return members === undefined ? node : joined(members, now)
  }))
}

const fusable: ReadonlySet<OpKind> = new Set<ElementwiseOp>(['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum', 'exp', 'log', 'sqrt', 'tanh', 'sigmoid', 'relu', 'step'])
/** Whether a node is one of the ops that can be steps of one in a row. */
export const isFusable = (n: Tensor): boolean => fusable.has(n.op) && n.inputs.every(x => x.dtype === 'float32')

/** Operands and steps are read by the kernel from a cache that holds as many blocks of them. */
const mostOperands = 12
const mostSteps = 16

/** Elementwise nodes in order, and the last one, whose value is theirs. */
interface Group {
  readonly last: Tensor
  readonly nodes: Tensor[]
  readonly operands: Set<Tensor>
}

/** Nodes that become one, by the last of them. Each is in the group of its users, if they are all in one and of its own shape, or begins one. */
const groupsOf = ({ nodes, outputs }: Listing): ReadonlyMap<Tensor, readonly Tensor[]> => {
  const groups = new Map<Tensor, readonly Tensor[]>()
  /** The group that all users so far of an elementwise node are in; none where they are not all in one, nor around an output. */
  const around = new Map<Tensor, Group | undefined>(outputs.map(t => [t, undefined]))
  for (let at = nodes.length - 1; at >= 0; at--) {
    const n = nodes[at]!
    const group = isFusable(n) ? grouped(n, around.get(n)) : undefined
    if (group !== undefined && group.nodes.length > 1) groups.set(group.last, group.nodes)
    for (const x of n.inputs) if (fusable.has(x.op)) around.set(x, !around.has(x) || around.get(x) === group ? group : undefined)
  }
  return groups
}

const grouped = (n: Tensor, group: Group | undefined): Group => {
  const operands = new Set([...(group?.operands ?? []), ...n.inputs])
  operands.delete(n)
  const joins = group !== undefined && sameShape(n.shape, group.last.shape) && n.batched === group.last.batched && operands.size <= mostOperands && group.nodes.length < mostSteps
  if (!joins) return { last: n, nodes: [n], operands: new Set(n.inputs) }
  group.nodes.unshift(n)
  group.operands.delete(n)
  for (const x of n.inputs) group.operands.add(x)
  return group
}

const joined = (members: readonly Tensor[], now: Become): Tensor => {
  const inside = new Set(members)
  const operands = [...new Set(members.flatMap(n => n.inputs.filter(x => !inside.has(x))))]
  const places = new Map([...operands, ...members].map((t, i) => [t, i]))
  const steps = members.map((n): ElementwiseStep => ({ op: n.op as ElementwiseOp, of: n.inputs.map(x => places.get(x)!) }))
  return ops.elementwise(operands.map(now), steps)
}
