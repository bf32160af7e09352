import * as ops from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { collectNodes } from '../graph.js'
import type { Contribution } from './rule.js'

/**
 * The gradients of attention with a bias, `[..., tokens, 3·dim]` and that of the bias: one op gives both, since both need
 * the weights again. Where a bias is a table of numbers, such as a causal mask, only the first is made.
 */
export const biasedAttention = ({ inputs: [qkv, bias], attributes, shape }: Tensor<'packedAttention'>, dy: Tensor): readonly Contribution[] => {
  const [leading, tokens, dim] = [shape.slice(0, -2), shape.at(-2)!, shape.at(-1)!]
  const both = ops.packedAttentionGradient(qkv!, dy, { ...attributes, scores: true }, bias)
  const part = (begin: number, width: number): Tensor => ops.slice(both, [...shape.slice(0, -1).map(() => 0), begin], [...leading, tokens, width])
  return [
    () => (isFixed(bias!) ? ops.packedAttentionGradient(qkv!, dy, attributes, bias) : part(0, 3 * dim)),
    () => {
      // Summed before it is turned, while what is repeated is still there.
      const repeated = leading.flatMap((size, axis) => (size > 1 && bias!.shape[axis] === 1 ? [axis] : []))
      const scores = part(3 * dim, attributes.numHeads * tokens)
      const summed = repeated.length === 0 ? scores : ops.sum(scores, repeated, true)
      const shared = bias!.batched === summed.batched ? summed : ops.batchSum(summed)
      const heads = ops.reshape(shared, [...bias!.shape.slice(0, -3), tokens, attributes.numHeads, tokens])
      const at = leading.length
      return ops.transpose(heads, [...leading.map((_, axis) => axis), at + 1, at, at + 2])
    },
  ]
}

/** Whether nothing can be learned about a tensor. */
const isFixed = (t: Tensor): boolean => !t.batched && collectNodes([t]).every(({ op }) => op !== 'parameter')
