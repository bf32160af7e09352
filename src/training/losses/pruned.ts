import { add, batchMean, detach, divide, mean, multiply, scalar, step, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { divergence } from './divergence.js'
import { keptShares } from './keptShares.js'
import { sameShapes } from './sameShapes.js'

/** What a model that prunes gives in training. */
export interface PrunedOutputs {
  /** Those of the class token, `[numClasses]`. */
  readonly logits: Tensor
  /** What each token gives, `[tokens, channels]`. */
  readonly tokens: Tensor
  /** Which tokens each stage kept, `[tokens]`: 1 or 0. */
  readonly decisions: readonly Tensor[]
  /** The tokens that are left, `[tokens]` (default: those of the last stage). */
  readonly kept?: Tensor
}

/** Options of {@link pruned}. */
export interface PrunedOptions {
  /** What each stage is to keep of all tokens. */
  readonly shares: readonly number[]
  /** How tokens are compared with the teacher's: by mean square, or as logits by their divergence (default `meanSquared`). */
  readonly compare?: 'meanSquared' | 'divergence'
  readonly baseWeight?: number
  readonly sharesWeight?: number
  /** Of the class token's divergence. */
  readonly teacherWeight?: number
  /** Of the tokens' distance. */
  readonly tokensWeight?: number
}

/**
 * The loss of a model that learns to drop tokens (Rao et al., 2021, "DynamicViT", section 3.3): a loss of its own, how far
 * it keeps from its {@link keptShares}, and how far its logits and the tokens that are left come from those of a teacher,
 * mostly its own backbone, trained and with all tokens. The weights are 1, 2, 0.5 and 0.5 unless given.
 * `[], { [numClasses], [tokens, channels], [tokens]… }, { [numClasses], [tokens, channels] } → []`.
 *
 * Like an op, it throws an `OpError` where shapes differ.
 *
 * @example
 * pruned(ops.scalar(1), { logits: ops.input('head', [10]), tokens: ops.input('tokens', [196, 384]), decisions: [ops.input('keep_0', [196])] }, { logits: ops.input('t', [10]), tokens: ops.input('u', [196, 384]) }, { shares: [0.7] }).shape // []
 */
export const pruned = (base: Tensor, { logits, tokens, decisions, kept = decisions.at(-1) }: PrunedOutputs, teacher: Pick<PrunedOutputs, 'logits' | 'tokens'>, options: PrunedOptions): Tensor => {
  const { shares, compare = 'meanSquared', baseWeight = 1, sharesWeight = 2, teacherWeight = 0.5, tokensWeight = 0.5 } = options
  sameShapes('pruned', ['tokens', "the teacher's"], tokens, teacher.tokens)
  const distances = compare === 'divergence' ? divergence(tokens, teacher.tokens) : squares(tokens, teacher.tokens)
  const parts = [[baseWeight, base], [sharesWeight, keptShares(decisions, shares)], [teacherWeight, average(divergence(logits, teacher.logits))], [tokensWeight, overKept(distances, kept!)]] as const
  return parts.map(([weight, part]): Tensor => multiply(scalar(weight), part)).reduce((a, b) => add(a, b))
}

const squares = (a: Tensor, b: Tensor): Tensor => {
  const miss = subtract(a, b)
  return mean(multiply(miss, miss), [a.shape.length - 1])
}

/** The mean over the tokens of the whole batch that are left; 0 where none is. */
const overKept = (distances: Tensor, decision: Tensor): Tensor => {
  sameShapes('pruned', ['tokens', 'decisions'], distances, decision)
  const kept = detach(decision)
  const total = (x: Tensor): Tensor => (x.batched ? batchMean(sum(x, [0])) : sum(x, [0]))
  const count = total(kept)
  return divide(total(multiply(distances, kept)), add(count, subtract(scalar(1), step(count))))
}
