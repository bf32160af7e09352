import { OpError } from '../../ops/opError.js'
import * as ops from '../../ops/ops.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'
import { collectNodes } from '../graph.js'
import { fit } from './fit.js'
import type { Rule } from './rule.js'
import { rules } from './rules.js'

/** What {@link gradient} gives. */
export interface Gradients {
  /** The gradient for each tensor asked for, in its shape and batch; absent where the loss does not depend on it. */
  readonly of: ReadonlyMap<Tensor, Tensor>
  /** For every node made on the way, the forward node it differentiates or computes anew: so a fault can be named by its layer. */
  readonly origin: ReadonlyMap<Tensor, Tensor>
}

/**
 * d loss / d each of some tensors, by reverse accumulation (Linnainmaa, 1970): a graph of the same ops, which runs,
 * is optimised and is differentiated again like any other. `loss` is one number all samples share, shape `[]`, such
 * as a `batchMean`; the gradient of what is batched is batched, and tells for each sample what it does to that number.
 *
 * Only nodes between the tensors asked for and the loss are visited: what is frozen costs nothing. Where a function
 * has no derivative the choice is PyTorch's: `relu′(0) = 0`, equal operands of `maximum` get half each, `max` shares
 * evenly, `maxPool` takes the first.
 *
 * Running the roots `[loss, ...gradients]` with the gradients of the last parameters first computes each of them as
 * soon as it can be, and frees what it needed: see {@link backwardOrder}.
 *
 * Errors: throws `OpError` for a loss that is not one shared number, and for a second derivative of `maxPool`.
 *
 * @example
 * (x => gradient(ops.multiply(x, x), [x]).of.get(x).shape)(ops.parameter('x', [], { kind: 'zeros' })) // []
 */
export const gradient = (loss: Tensor, of: readonly Tensor[]): Gradients => {
  if (loss.shape.length > 0 || loss.batched) throw new OpError(`gradient: the loss is ${show(loss.shape)}${loss.batched ? ' for each sample' : ''}, but must be one number that all samples share`)
  const pass = new BackwardPass(of)
  pass.through(loss, ops.scalar(1), undefined)
  return { of: new Map(of.flatMap(x => ((total => (total === undefined ? [] : [[x, total] as const]))(pass.total(x))))), origin: pass.origin }
}

/**
 * The roots of a training step in the order that holds least: the loss, then gradients, those of the last parameters
 * first. Each is then computed as soon as its output's gradient is there, and the activation it needs is freed.
 *
 * @example
 * backwardOrder(ops.scalar(1), { of: new Map(), origin: new Map() }).length // 1
 */
export const backwardOrder = (loss: Tensor, { of }: Gradients): readonly Tensor[] => [loss, ...[...of.values()].reverse()]

/** The state of one gradient. It lives and dies inside `gradient`. */
class BackwardPass {
  readonly origin = new Map<Tensor, Tensor>()
  /** What has arrived at each node so far. */
  private readonly arrived = new Map<Tensor, Tensor[]>()
  private readonly totals = new Map<Tensor, Tensor>()
  /** Nodes whose gradient is wanted, or leads to one that is. */
  private readonly leading: Set<Tensor>
  /** Every node seen or made. */
  private readonly known = new Set<Tensor>()

  constructor(of: readonly Tensor[]) {
    this.leading = new Set(of)
  }

  /** Differentiates all nodes not known yet that `y` needs, `dy` having arrived at it. */
  through(y: Tensor, dy: Tensor, forward: Tensor | undefined, origins: ReadonlyMap<Tensor, Tensor> = new Map()): void {
    const nodes = collectNodes([y], this.known)
    for (const node of nodes) {
      if (node.inputs.some(x => this.leading.has(x))) this.leading.add(node)
      if (forward !== undefined) this.origin.set(node, this.forwardOf(origins.get(node) ?? forward))
    }
    this.arrive(y, dy, y)
    for (let at = nodes.length - 1; at >= 0; at--) this.differentiate(nodes[at]!)
  }

  /** The sum of what has arrived. */
  total(x: Tensor): Tensor | undefined {
    const parts = this.arrived.get(x)
    if (parts === undefined) return undefined
    const found = this.totals.get(x)
    if (found !== undefined) return found
    const total = joined(parts) ?? parts.reduce((a, b) => ops.add(a, b))
    this.claim(total, x)
    this.totals.set(x, total)
    return total
  }

  private differentiate(node: Tensor): void {
    const dy = this.leading.has(node) ? this.total(node) : undefined
    if (dy === undefined) return
    const rule = (rules[node.op] as Rule)(node, dy)
    if ('instead' in rule) return this.through(rule.instead, dy, node, rule.origins)
    rule.forEach((contribution, i) => {
      const x = node.inputs[i]!
      if (contribution !== undefined && this.leading.has(x)) this.arrive(x, contribution(), node)
    })
  }

  private arrive(x: Tensor, dy: Tensor, node: Tensor): void {
    const fitted = fit(dy, x)
    this.claim(fitted, node)
    const parts = this.arrived.get(x)
    if (parts === undefined) this.arrived.set(x, [fitted])
    else parts.push(fitted)
  }

  /** Notes which node whatever is new in `made` differentiates. */
  private claim(made: Tensor, node: Tensor): void {
    for (const n of collectNodes([made], this.known)) this.origin.set(n, this.forwardOf(node))
  }

  private forwardOf(node: Tensor): Tensor {
    return this.origin.get(node) ?? node
  }
}

/** Slices that fill a tensor along one axis have their gradients joined rather than padded and added. */
const joined = (parts: readonly Tensor[]): Tensor | undefined => {
  const [first] = parts
  const blocks = parts.filter((t): t is Tensor<'pad'> => isOp(t, 'pad'))
  if (first === undefined || blocks.length < parts.length || blocks.length < 2) return undefined
  const axis = first.shape.findIndex((size, i) => blocks[0]!.inputs[0]!.shape[i] !== size)
  const inOrder = [...blocks].sort((a, b) => a.attributes.begin[axis]! - b.attributes.begin[axis]!)
  let end = 0
  for (const { attributes: { begin }, inputs: [x] } of inOrder) {
    if (begin[axis] !== end || !x!.shape.every((size, i) => i === axis || size === first.shape[i])) return undefined
    end += x!.shape[axis]!
  }
  return end === first.shape[axis] ? ops.concat(inOrder.map(t => t.inputs[0]!), axis) : undefined
}
