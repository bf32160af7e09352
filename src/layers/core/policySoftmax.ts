import { add, constant, detach, divide, exp, max, multiply, scalar, subtract, sum, transpose } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

const epsilon = 1e-6

/**
 * Attention weights where only some tokens count (Rao et al., 2021, "DynamicViT", equation 11):
 * `(e^s · m + ε/n) / (Σ e^s · m + ε)`, `m` being 1 for a key that counts and for the query itself, else 0, and `ε` 1e-6.
 * `[heads, tokens, tokens], [tokens, 1] → [heads, tokens, tokens]`.
 *
 * @example
 * policySoftmax(ops.input('scores', [3, 197, 197]), ops.input('policy', [197, 1])).shape // [3, 197, 197]
 */
export const policySoftmax = (scores: Tensor, policy: Tensor): Tensor => {
  const count = policy.shape[0] as number
  const itself = constant(Float32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 : 0)), [count, count])
  const counts = transpose(policy, [1, 0])
  const mask = add(counts, multiply(subtract(scalar(1), counts), itself))
  // What is taken off all scores of a query changes nothing but what ε weighs.
  const shares = multiply(exp(subtract(scores, detach(max(scores, [scores.shape.length - 1], true)))), mask)
  return divide(add(shares, scalar(epsilon / count)), add(sum(shares, [scores.shape.length - 1], true), scalar(epsilon)))
}
