import type { Graph } from '../graph/graph.js'
import { gradient } from '../graph/gradient/gradient.js'
import { add, batchSum, multiply, relu, reshape, scalar, sum } from '../ops/ops.js'
import { isOp, type Tensor } from '../ops/tensor.js'

/** How much the heads of one attention matter. */
export interface HeadImportance {
  /** The mean over samples of `|∂loss/∂m|`, `m` being what a head's output is multiplied by, at 1: `[heads]`. */
  readonly importance: Tensor
  /** The mean over samples with its sign: `[heads]`. */
  readonly signed: Tensor
}

/**
 * How much each head of each attention layer matters to a loss (Michel et al., 2019, "Are sixteen heads really better than
 * one?", equation 2): by path, as nodes to compute. The layers that use `attention` as one op: `selfAttention`,
 * `windowAttention`, `crossAttention`, `relativeAttention2d`, in inference.
 *
 * @param loss the mean over the samples of a batch, unbatched
 *
 * @example
 * headImportance(graph, losses.average(graph.output))['blocks.3.attn'].importance.shape // [3]
 */
export const headImportance = (graph: Graph, loss: Tensor): Readonly<Record<string, HeadImportance>> => {
  const layers = graph.layers.flatMap(({ path, nodes }) => nodes.filter((n): n is Tensor<'attention'> => isOp(n, 'attention')).map(node => ({ path, node })))
  const { of } = gradient(loss, layers.map(({ node }) => node))
  return Object.fromEntries(layers.flatMap(({ path, node }) => {
    const slope = of.get(node)
    if (slope === undefined) return []
    // The gradient of a mean already holds the share of one sample.
    const { numHeads } = node.attributes
    const width = node.shape.at(-1)! / numHeads
    const each = multiply(slope, node)
    const split = reshape(each, [...node.shape.slice(0, -1), numHeads, width])
    const own = sum(split, split.shape.map((_, axis) => axis).filter(axis => axis !== split.shape.length - 2))
    return [[path, { importance: batchSum(add(relu(own), relu(multiply(own, scalar(-1))))), signed: batchSum(own) }]]
  }))
}
