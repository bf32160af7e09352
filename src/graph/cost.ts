import { isOp, isRenaming, type Tensor } from '../ops/tensor.js'
import { isFused, partsOf } from '../ops/unfused.js'
import { sizeOf } from '../shape/shape.js'
import type { Graph } from './graph.js'

/** Multiply-adds of one forward pass of one sample, counted as papers do; see {@link multiplyAdds}. */
export interface MultiplyAdds {
  readonly linear: number
  readonly conv: number
  readonly matmul: number
  readonly total: number
}

/** What a graph costs. */
export interface Cost {
  /** Elements of all parameters, frozen ones included, running statistics not. */
  readonly params: number
  readonly macs: MultiplyAdds
  /** Bytes of float32 activations alive at once, at most, for one sample, weights excluded. */
  readonly activationBytes: number
}

/**
 * The multiply-adds of some nodes: linear maps, convolutions (output elements × weights of one output
 * channel) and matrix products. Biases, norms, softmax, activations and sums are not counted.
 */
export const multiplyAdds = (nodes: readonly Tensor[]): MultiplyAdds => {
  const count = { linear: 0, conv: 0, matmul: 0 }
  for (const n of nodes.flatMap(n => (isFused(n) ? partsOf(n) : [n]))) {
    if (isOp(n, 'linear')) count.linear += sizeOf(n.shape) * (n.inputs[1]!.shape[1] as number)
    else if (isOp(n, 'linearWeightGradient')) count.linear += sizeOf(n.inputs[0]!.shape) * n.shape[0]!
    else if (isOp(n, 'conv2dInputGradient')) count.conv += sizeOf(n.inputs[0]!.shape) * sizeOf(n.inputs[1]!.shape.slice(1))
    else if (isOp(n, 'conv2dWeightGradient')) count.conv += sizeOf(n.inputs[1]!.shape) * sizeOf(n.shape.slice(1))
    else if (isOp(n, 'conv2d')) count.conv += sizeOf(n.shape) * sizeOf(n.inputs[1]!.shape.slice(1))
    else if (isOp(n, 'matmul')) count.matmul += sizeOf(n.shape) * (n.inputs[0]!.shape.at(n.attributes.transposeA ? -2 : -1) as number)
    else if (isOp(n, 'attention')) count.matmul += 2 * sizeOf(n.shape) * (n.inputs[1]!.shape.at(-2) as number)
  }
  return { ...count, total: count.linear + count.conv + count.matmul }
}

/**
 * The multiply-adds that each input asks for, where no counted node needs two of them: the towers of CLIP. Nothing for a
 * model of one input, or one whose inputs meet.
 *
 * @example
 * multiplyAddsByInput(trace(pipe(inputs({ a: input(3), b: input(4) }), parallel({ a: linear(5), b: linear(6) }))).right)?.b?.total // 24
 */
export const multiplyAddsByInput = (graph: Pick<Graph, 'nodes'>): Readonly<Record<string, MultiplyAdds>> | undefined => {
  const needs = new Map<Tensor, ReadonlySet<string>>()
  for (const n of graph.nodes) needs.set(n, isOp(n, 'input') ? new Set([n.attributes.name]) : new Set(n.inputs.flatMap(x => [...needs.get(x)!])))
  const names = [...new Set([...needs.values()].flatMap(of => [...of]))]
  const counted = [...needs].filter(([n]) => multiplyAdds([n]).total > 0)
  if (names.length < 2 || counted.some(([, of]) => of.size > 1)) return undefined
  return Object.fromEntries(names.map(name => [name, multiplyAdds(counted.flatMap(([n, of]) => (of.has(name) ? [n] : [])))]))
}

/** Elements of the parameters among some nodes, frozen ones included, running statistics not. */
export const parameterCount = (nodes: readonly Tensor[]): number => nodes.reduce((total, n) => total + (isOp(n, 'parameter') && n.attributes.role !== 'buffer' ? sizeOf(n.shape) : 0), 0)

/**
 * The most bytes of activations alive at once if nodes run in order and each result is freed after its last
 * use. What only renames its input costs nothing. What a backend needs beside them (scratch, packed weights) is its own.
 */
export const activationBytes = (graph: Pick<Graph, 'nodes' | 'output'>): number => {
  const owner = new Map<Tensor, Tensor>()
  const last = new Map<Tensor, number>()
  const own = (n: Tensor): Tensor => owner.get(n) ?? n
  graph.nodes.forEach((n, at) => {
    if (isRenaming(n) || n.op === 'after' || n.op === 'remat' || n.op === 'detach') owner.set(n, own(n.inputs[0]!))
    for (const x of n.inputs) last.set(own(x), at)
  })
  let [live, peak] = [0, 0]
  graph.nodes.forEach((n, at) => {
    if (own(n) === n && n.batched) live += 4 * sizeOf(n.shape)
    peak = Math.max(peak, live)
    for (const x of new Set(n.inputs.map(own))) if (last.get(x) === at && x.batched) live -= 4 * sizeOf(x.shape)
  })
  return peak
}

/**
 * Parameters, multiply-adds and peak activation bytes of a traced model.
 *
 * @example
 * cost(graph).params // 5717416
 */
export const cost = (graph: Graph): Cost => ({ params: parameterCount(graph.parameters), macs: multiplyAdds(graph.nodes), activationBytes: activationBytes(graph) })
