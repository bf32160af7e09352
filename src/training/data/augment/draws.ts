import type { Random } from '../../random.js'

type Uniform = Pick<Random, 'uniform'>

/** Numbers that steps of augmentation draw. */
export const draws = {
  /** Whether something happens that does with that probability; nothing is drawn where it is certain. */
  happens: (random: Uniform, probability: number): boolean => probability >= 1 || random.uniform() < probability,
  /** Evenly from a range. */
  between: (random: Uniform, [least, most]: readonly [number, number]): number => least + (most - least) * random.uniform(),
  /** From a range, evenly by its logarithm: from ½ to 2, as often below 1 as above. */
  byLogarithm: (random: Uniform, [least, most]: readonly [number, number]): number => Math.exp(Math.log(least) + (Math.log(most) - Math.log(least)) * random.uniform()),
  /** One of several, each as likely, or in proportion to their weights. */
  oneOf: <T>(random: Pick<Random, 'uniform' | 'below'>, choices: readonly T[], weights?: readonly number[]): T => {
    if (weights === undefined) return choices[random.below(choices.length)]!
    let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
    const found = choices.findIndex((_, i) => (left -= weights[i]!) < 0)
    return choices[found < 0 ? choices.length - 1 : found]!
  },
  /** The number or its opposite. */
  eitherSign: (random: Uniform, value: number): number => (random.uniform() < 0.5 ? -value : value),
} as const
