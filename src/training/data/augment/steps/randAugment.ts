import type { Random } from '../../../random.js'
import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { applyPart, type Variation } from '../policy/applyPart.js'
import { choices, type Choices } from '../policy/choices.js'

/** Options of {@link randAugment}. Unless given, they are those of DeiT and Swin: `rand-m9-mstd0.5-inc1`. */
export interface RandAugmentOptions extends Variation {
  /** How strong the changes are, 0 to 10 (default 9). */
  readonly magnitude?: number
  /** Standard deviation of the magnitude; above 100, it is drawn evenly from 0 to what it is (default 0.5). */
  readonly magnitudeStd?: number
  /** How many operations are drawn (default 2). */
  readonly numOps?: number
  /** How likely each of those drawn is to be done (default 0.5). */
  readonly probability?: number
  /** Whether a larger magnitude is always a stronger change (default true; with `set: 'all'` only). */
  readonly increasing?: boolean
  /** What is drawn from: all operations alike, timm's `weights`, DeiT III's three (`3a`), or these and others by weight (`3aw`). Default `all`. */
  readonly set?: 'all' | 'weights' | '3a' | '3aw'
}

/**
 * A few operations drawn for each sample, all at one magnitude: `[height, width, c] → [height, width, c]`.
 *
 * Source: Cubuk et al., RandAugment (2020), section 3; as in timm, whose notation (`'rand-m9-mstd0.5-inc1'`) can stand
 * for it in a list of steps.
 *
 * @example
 * randAugment({ magnitude: 7 }).config // { magnitude: 7 }
 */
export const randAugment = (options: RandAugmentOptions = {}): Change => {
  const { magnitude = 9, numOps = 2, probability = 0.5, increasing = true, set = 'all', magnitudeStd = 0.5, ...others } = options
  const from: Choices = choices[set === 'all' ? (increasing ? 'increasing' : 'plain') : set]
  return {
    name: 'randAugment',
    config: { ...options },
    kind: 'change',
    apply: (picture, random, target) => drawn(from, numOps, random).reduce((changed, name) => applyPart([name, probability, magnitude], changed, random, target, { ...others, magnitudeStd }), picture),
  }
}

/** Drawn one by one; where there are weights, none twice. */
const drawn = ({ names, weights }: Choices, count: number, random: Random): Choices['names'] => {
  if (weights === undefined) return Array.from({ length: count }, () => draws.oneOf(random, names))
  const [left, leftWeights] = [[...names], [...weights]]
  return Array.from({ length: Math.min(count, names.length) }, () => {
    const at = draws.oneOf(random, left.map((_, i) => i), leftWeights)
    leftWeights.splice(at, 1)
    return left.splice(at, 1)[0]!
  })
}
