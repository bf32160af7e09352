import { add, matmul, multiply, reshape, scalar, softmax, transpose } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** How queries and keys are compared. */
interface Comparison {
  readonly numHeads: number
  readonly scale: number
}

/** `[tokens, heads · headDim] → [heads, tokens, headDim]`. */
export const splitHeads = (t: Tensor, numHeads: number): Tensor => {
  const [count, dim] = t.shape as readonly [number, number]
  return transpose(reshape(t, [count, numHeads, dim / numHeads]), [1, 0, 2])
}

/** What attention takes a softmax of (Vaswani et al., 2017, section 3.2.1). `[queries, dim], [keys, dim] → [heads, queries, keys]`. */
export const attentionScores = (q: Tensor, k: Tensor, { numHeads, scale }: Comparison, bias?: Tensor): Tensor => {
  const products = multiply(matmul(splitHeads(q, numHeads), splitHeads(k, numHeads), { transposeB: true }), scalar(scale))
  return bias === undefined ? products : add(products, bias)
}

/**
 * The weights inside an `attention`, which the op itself never stores: for whoever asks for them as a feature. Each row
 * sums to 1. `[queries, dim], [keys, dim] → [heads, queries, keys]`.
 */
export const attentionWeights = (q: Tensor, k: Tensor, comparison: Comparison, bias?: Tensor): Tensor => softmax(attentionScores(q, k, comparison, bias))

/** Values mixed by given weights: what an `attention` gives, written out. `[heads, queries, keys], [keys, dim] → [queries, dim]`. */
export const weighted = (weights: Tensor, v: Tensor): Tensor => {
  const [heads, queries] = weights.shape as readonly [number, number]
  return reshape(transpose(matmul(weights, splitHeads(v, heads)), [1, 0, 2]), [queries, v.shape[1]!])
}
