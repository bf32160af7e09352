import { mulberry32 } from '../../weights/mulberry32.js'

/** A source of choices: a seed's, or fast-check's. Whoever draws the same from the same source gets the same. */
export interface Choices {
  /** A whole number from 0 to `limit` − 1. */
  readonly below: (limit: number) => number
  readonly pick: <T>(from: readonly T[]) => T
  readonly chance: (probability: number) => boolean
  /** A number in [−1, 1). */
  readonly number: () => number
}

/** Choices out of whole numbers below 2³². */
export const choicesFrom = (next: () => number): Choices => {
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit)
  return {
    below,
    pick: from => from[below(from.length)]!,
    chance: probability => next() / 2 ** 32 < probability,
    number: () => next() / 2 ** 31 - 1,
  }
}

/**
 * Choices from a seed, the same on every machine.
 *
 * @example
 * choicesOf(7).below(10) === choicesOf(7).below(10) // true
 */
export const choicesOf = (seed: number): Choices => choicesFrom(mulberry32(seed))
