import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'

/** Options of {@link randomChoice}. */
export interface RandomChoiceOptions {
  readonly of: readonly Change[]
  /** How likely each is, in proportion to the others (default all alike). */
  readonly weights?: readonly number[]
}

/**
 * One of several changes, drawn for each sample: `[height, width, c] → [height, width, c]`.
 *
 * @example
 * randomChoice({ of: [], weights: [] }).config // { of: [], weights: [] }
 */
export const randomChoice = (options: RandomChoiceOptions): Change => {
  const { of, weights } = options
  return {
    name: 'randomChoice',
    config: { ...options, of: of.map(({ name, config }) => ({ name, config })) },
    kind: 'change',
    apply: (picture, random, target) => draws.oneOf(random, of, weights).apply(picture, random, target),
  }
}
