import { add, constant, matmul, multiply, scalar, subtract, sum, transpose } from '../../ops/ops.js'
import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'
import { average } from './average.js'
import { crossEntropy, type CrossEntropyOptions } from './crossEntropy.js'

/**
 * How much the heads of an attention look at the same tokens: `‖A·Aᵀ − I‖²` (Lin et al., 2017, "A structured
 * self-attentive sentence embedding", section 2.2), where the rows of `A` are the heads' weights for one query; the
 * mean over queries and batch. `[heads, queries, keys] → []`. It is 0 where each head looks at one token of its own.
 *
 * Like an op, it throws an `OpError` where the weights have other axes.
 *
 * @example
 * headRedundancy(ops.input('weights', [3, 197, 197])).shape // []
 */
export const headRedundancy = (weights: Tensor): Tensor => {
  if (weights.shape.length !== 3) throw new OpError(`headRedundancy: expects attention weights of heads×queries×keys, got ${show(weights.shape)}`)
  const numHeads = weights.shape[0] as number
  const byQuery = transpose(weights, [1, 0, 2])
  const identity = constant(Float32Array.from({ length: numHeads ** 2 }, (_, i) => (i % (numHeads + 1) === 0 ? 1 : 0)), [numHeads, numHeads])
  const excess = subtract(matmul(byQuery, byQuery, { transposeB: true }), identity)
  return average(sum(multiply(excess, excess), [1, 2]))
}

/** Options of {@link attentionRegularised}. */
export interface AttentionRegularisedOptions extends CrossEntropyOptions {
  /** What the penalty is multiplied by (default 1, as in the paper; 0.3 for its largest task). */
  readonly weight?: number
}

/**
 * Cross-entropy, and a penalty on attention maps that repeat each other: `crossEntropy + weight · mean` of
 * {@link headRedundancy} over the maps. `[..., numClasses], [..., numClasses], [heads, queries, keys]… → []`.
 *
 * Like an op, it throws an `OpError` where shapes do not fit or there is no map.
 *
 * @example
 * attentionRegularised(ops.input('logits', [10]), ops.input('targets', [10]), [ops.input('weights', [3, 5, 5])], { weight: 0.1 }).shape // []
 */
export const attentionRegularised = (logits: Tensor, targets: Tensor, maps: readonly Tensor[], { weight = 1, ...options }: AttentionRegularisedOptions = {}): Tensor => {
  if (maps.length === 0) throw new OpError('attentionRegularised: expects at least one attention map')
  const penalty = maps.map(headRedundancy).reduce((a, b) => add(a, b))
  return add(crossEntropy(logits, targets, options), multiply(scalar(weight / maps.length), penalty))
}
