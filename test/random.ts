import { mulberry32 } from '../src/weights/mulberry32.js'

/** A seeded source of choices, the same on every machine. */
export interface Random {
  /** A whole number from 0 to `below` − 1. */
  readonly below: (below: number) => number
  readonly pick: <T>(choices: readonly T[]) => T
  readonly chance: (probability: number) => boolean
  /** A number in [−1, 1). */
  readonly number: () => number
  readonly values: (count: number) => Float32Array
}

export const random = (seed: number): Random => {
  const draw = mulberry32(seed)
  const below = (n: number): number => Math.floor((draw() / 2 ** 32) * n)
  const number = (): number => draw() / 2 ** 31 - 1
  return {
    below,
    pick: choices => choices[below(choices.length)]!,
    chance: probability => draw() / 2 ** 32 < probability,
    number,
    values: count => Float32Array.from({ length: count }, number),
  }
}
