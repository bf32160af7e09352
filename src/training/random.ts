import { fnv1a32 } from '../weights/fnv1a32.js'
import { inverseNormal } from '../weights/inverseNormal.js'
import { philox } from './philox.js'

/** A stream of random numbers, the same on every machine. */
export interface Random {
  /** From 0 up to, but not, 1, in steps of 2⁻⁵³. */
  readonly uniform: () => number
  /** A standard normal deviate. */
  readonly normal: () => number
  /** A whole number from 0 to `count` − 1, each as likely; `count` is at most 2³². */
  readonly below: (count: number) => number
  /** 0 to `count` − 1 in random order. */
  readonly permutation: (count: number) => Uint32Array
}

/**
 * The random stream of that name at a step, and there of a place (a sample, say). It depends on these four and
 * nothing else: not on what was drawn before from others, nor on thread or time. A run that resumes at a step draws
 * what it would have drawn. Counter-based, see {@link philox}: the seed is the key; name, step and place are the counter.
 *
 * Seed, step and place are whole numbers; of step and place the low 32 bits count, of the seed 53.
 *
 * @example
 * random(7, 'order', 0).permutation(4) // Uint32Array.of(3, 2, 1, 0)
 * random(7, 'order', 1).below(1000) === random(7, 'order', 1).below(1000) // true
 */
export const random = (seed: number, stream: string, step: number, place = 0): Random => {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const
  const name = fnv1a32(stream)
  let block: readonly number[] = []
  let drawn = 0
  const next = (): number => {
    if (drawn % 4 === 0) block = philox([drawn / 4, place >>> 0, step >>> 0, name], key)
    return block[drawn++ % 4]!
  }
  const bits = (count: 52 | 53): number => (next() >>> 5) * 2 ** (count - 27) + (next() >>> (59 - count))
  const below = (count: number): number => {
    // Draws beyond the last whole multiple of `count` would favour small numbers.
    const limit = 2 ** 32 - (2 ** 32 % count)
    let draw = next()
    while (draw >= limit) draw = next()
    return draw % count
  }
  return {
    uniform: () => bits(53) / 2 ** 53,
    // Half a step off both ends, where the deviate is infinite.
    normal: () => inverseNormal((bits(52) + 0.5) / 2 ** 51 - 1),
    below,
    permutation: count => {
      // Fisher and Yates, in Durstenfeld's form (1964).
      const order = Uint32Array.from({ length: count }, (_, i) => i)
      for (let i = count - 1; i > 0; i--) {
        const j = below(i + 1)
        const swapped = order[i]!
        order[i] = order[j]!
        order[j] = swapped
      }
      return order
    },
  }
}
