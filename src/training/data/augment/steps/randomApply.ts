import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'

/** Options of {@link randomApply}. */
export interface RandomApplyOptions {
  readonly of: readonly Change[]
  /** Default 0.5. */
  readonly probability?: number
}

/**
 * Several changes one after the other, all of them or none, with a probability: `[height, width, c] → [height, width, c]`.
 *
 * @example
 * randomApply({ of: [], probability: 0.8 }).config // { of: [], probability: 0.8 }
 */
export const randomApply = (options: RandomApplyOptions): Change => {
  const { of, probability = 0.5 } = options
  return {
    name: 'randomApply',
    config: { ...options, of: of.map(({ name, config }) => ({ name, config })) },
    kind: 'change',
    apply: (picture, random, target) => (draws.happens(random, probability) ? of.reduce((changed, step) => step.apply(changed, random, target), picture) : picture),
  }
}
