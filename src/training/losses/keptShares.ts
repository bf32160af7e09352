import { add, mean, multiply, scalar, subtract } from '../../ops/ops.js'
import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'

/**
 * Keeps a token pruning to its shares (Rao et al., 2021, "DynamicViT", equation 17): the squared difference of the share
 * of tokens that a sample kept and the one it was to keep, the mean over stages and the batch. `[tokens]… → []`.
 *
 * Like an op, it throws an `OpError` where there is not one share for each stage.
 *
 * @param decisions of each stage, 1 for a token that is kept, else 0
 * @param shares what each stage is to keep of all tokens
 *
 * @example
 * keptShares([ops.input('keep_0', [196]), ops.input('keep_1', [196])], [0.7, 0.49]).shape // []
 */
export const keptShares = (decisions: readonly Tensor[], shares: readonly number[]): Tensor => {
  if (decisions.length === 0 || decisions.length !== shares.length) throw new OpError(`keptShares: there are ${decisions.length} stages of decisions, but ${shares.length} shares`)
  const squares = decisions.map((decision, stage) => {
    const miss = subtract(mean(decision, [decision.shape.length - 1]), scalar(shares[stage]!))
    return average(multiply(miss, miss))
  })
  return multiply(scalar(1 / decisions.length), squares.reduce((a, b) => add(a, b)))
}
