import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
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
 * The weights are the features that attention layers give (`blocks.3.attn.weights`), gated and relative ones too. Tokens
 * that join on the way, in front (a class token after ConViT's first blocks), bring nothing of the image with them. Where
 * earlier layers look at other places (the token steps of a T2T-ViT, the first stages of a CoAtNet), the flow is that
 * through the last layers that share theirs; of a detector, that through its backbone. Nothing for a model that has no attention, or looks in windows only, whose
 * own maps are at `<path>.attn.weights`, `[windows, heads, tokens, tokens]`.
 *
 * @example
 * ((map) => [map.rows, map.columns])(attentionRollout(graph)) // [14, 14]
 */
export const attentionRollout = (graph: Graph): AttentionMap | undefined => {
  const layers = lastOfOnePlace(weightsIn(graph))
  const [first, last] = [layers[0], layers.at(-1)]
  const grid = first === undefined ? undefined : gridOf(graph, first.shape[1]!)
  if (first === undefined || last === undefined || grid === undefined) return undefined
  const [rows, columns] = grid
  // A single row from the output down costs far less than the product of all matrices.
  const start = startOf(last.shape[1]!, last.shape[1]! > rows * columns)
  const flow = layers.reduceRight<Tensor>((row, weights) => {
    const own = fromLast(row, weights.shape[1]!)
    return ops.multiply(ops.add(ops.matmul(own, ops.mean(weights, [0])), own), ops.scalar(0.5))
  }, start)
  return { weights: ops.reshape(fromLast(flow, rows * columns), [rows * columns]), rows, columns }
}

/** The class token's row of the identity, or the mean of all rows. */
const startOf = (tokens: number, hasClassToken: boolean): Tensor => ops.constant(Float32Array.from({ length: tokens }, (_, i) => (hasClassToken ? (i === 0 ? 1 : 0) : 1 / tokens)), [1, tokens])

/** The last elements of a row: without the tokens in front that had not joined yet. */
const fromLast = (row: Tensor, count: number): Tensor => (row.shape[1] === count ? row : ops.slice(row, [0, row.shape[1]! - count], [1, count]))

/** The two attentions of a `decoderBlock`: what queries look at, which are no places of the image, is square where they happen to be as many. */
const isOfQueries = (path: string, features: Graph['features']): boolean => /\.(self|multihead)_attn\.weights$/.test(path) && features.has(path.replace(/\w+\.weights$/, 'multihead_attn.weights'))

/** The weights of self-attention over all tokens, `[heads, tokens, tokens]`, in the order of layers. */
const weightsIn = ({ features }: Graph): readonly Tensor[] =>
  [...features].flatMap(([path, signal]) => (path.endsWith('.weights') && !isOfQueries(path, features) && isTensor(signal) && signal.shape.length === 3 && signal.shape[1] === signal.shape[2] ? [signal] : []))

/** How many tokens may stand before the patches. */
const mostPrefix = 16

/** The last layers that look at the same places, but for tokens that joined in front. */
const lastOfOnePlace = (layers: readonly Tensor[]): readonly Tensor[] => {
  const other = layers.findLastIndex((weights, i) => {
    const joined = (layers[i + 1]?.shape[1] ?? weights.shape[1]!) - weights.shape[1]!
    return joined < 0 || joined > mostPrefix
  })
  return layers.slice(other + 1)
}

/** The grid of patches: the last layer that gives a map with as many places as there are tokens, but for a few at the front. */
const gridOf = ({ layers }: Graph, tokens: number): readonly [number, number] | undefined => {
  const maps = layers.map(({ output }) => output).filter(isShape).filter(shape => shape.length === 3 && shape[0]! * shape[1]! <= tokens && shape[0]! * shape[1]! >= tokens - mostPrefix)
  const last = maps.at(-1)
  return last === undefined ? undefined : [last[0]!, last[1]!]
}
