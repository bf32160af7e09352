import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { applyPart, type Variation } from '../policy/applyPart.js'
import { policies } from '../policy/policies.js'

/** Options of {@link autoAugment}. */
export interface AutoAugmentOptions extends Omit<Variation, 'magnitudeMax'> {
  /** Which policy: that of the paper, or one of Google's EfficientNet (default `original`). */
  readonly policy?: keyof typeof policies
}

/**
 * One of 25 pairs of operations that were searched for on ImageNet, drawn for each sample: `[height, width, c] →
 * [height, width, c]`. Source: Cubuk et al., AutoAugment (2019), table 9; as in timm, `'original-mstd0.5'` is the same
 * as `{ name: 'autoAugment', config: { policy: 'original', magnitudeStd: 0.5 } }`.
 *
 * @example
 * autoAugment({ policy: 'v0' }).config // { policy: 'v0' }
 */
export const autoAugment = (options: AutoAugmentOptions = {}): Change => ({
  name: 'autoAugment',
  config: { ...options },
  kind: 'change',
  apply: (picture, random, target) => draws.oneOf(random, policies[options.policy ?? 'original']).reduce((changed, part) => applyPart(part, changed, random, target, options), picture),
})
