import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { isShape } from '../../shape/shape.js'

/** Where a model looks: a weight for each patch of the image. */
export interface AttentionMap {
  /** Not negative; of all patches together at most 1. `[rows·columns]` for each image. */
  readonly weights: Tensor
  readonly rows: number
  readonly columns: number
}

/**
 * How much each patch of an image reaches the output by way of attention (Abnar and Zuidema, 2020, "Quantifying
 * attention flow", section 3): through every layer the mean of the heads' weights, half of it the token itself, `½(A + I)`,
 * multiplied together; the row of the class token, or the mean of all rows where the model has none.
 *
 * Nothing for a model whose layers do not all look at the same tokens (windows, stages), or that has no attention.
 *
 * @example
 * ((map) => [map.rows, map.columns])(attentionRollout(graph)) // [14, 14]
 */
export const attentionRollout = (graph: Graph): AttentionMap | undefined => {
  const layers = graph.nodes.filter((n): n is Tensor<'attention'> => isOp(n, 'attention'))
  const [first] = layers
  const tokens = first?.shape[0]
  if (first === undefined || tokens === undefined || !layers.every(n => n.shape.length === 2 && n.shape[0] === tokens && n.inputs[1]!.shape[0] === tokens)) return undefined
  const grid = gridOf(graph, tokens)
  if (grid === undefined) return undefined
  const [rows, columns] = grid
  const prefix = tokens - rows * columns
  const identity = ops.constant(Float32Array.from({ length: tokens * tokens }, (_, i) => (i % (tokens + 1) === 0 ? 1 : 0)), [tokens, tokens])
  const flows = layers.map((n): Tensor => ops.multiply(ops.add(ops.mean(weightsOf(n), [0]), identity), ops.scalar(0.5)))
  const flow = flows.reduce((below, layer) => ops.matmul(layer, below))
  const reaching = prefix > 0 ? ops.slice(flow, [0, prefix], [1, rows * columns]) : ops.mean(flow, [0], true)
  return { weights: ops.reshape(reaching, [rows * columns]), rows, columns }
}

/** The weights inside an attention, `[heads, queries, keys]`. */
const weightsOf = ({ inputs: [q, k, , bias], attributes: { numHeads, scale } }: Tensor<'attention'>): Tensor => {
  const heads = (t: Tensor): Tensor => {
    const [count, dim] = t.shape as readonly [number, number]
    return ops.transpose(ops.reshape(t, [count, numHeads, dim / numHeads]), [1, 0, 2])
  }
  const scores = ops.multiply(ops.matmul(heads(q!), heads(k!), { transposeB: true }), ops.scalar(scale))
  return ops.softmax(bias === undefined ? scores : ops.add(scores, bias))
}

/** The grid of patches: the last layer that gives a map with as many places as there are tokens, but for a few at the front. */
const gridOf = ({ layers }: Graph, tokens: number): readonly [number, number] | undefined => {
  const most = 16
  const maps = layers.map(({ output }) => output).filter(isShape).filter(shape => shape.length === 3 && shape[0]! * shape[1]! <= tokens && shape[0]! * shape[1]! >= tokens - most)
  const last = maps.at(-1)
  return last === undefined ? undefined : [last[0]!, last[1]!]
}
