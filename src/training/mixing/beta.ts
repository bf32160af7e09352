import type { Random } from '../random.js'

/**
 * A draw from the beta distribution with both parameters `alpha`, from 0 to 1: Gamma(α) / (Gamma(α) + Gamma(α)).
 *
 * @example
 * beta(0.8, { uniform: () => 0.5, normal: () => 0 }) // 0.5
 */
export const beta = (alpha: number, random: Pick<Random, 'uniform' | 'normal'>): number => {
  const [a, b] = [gammaLog(alpha, random), gammaLog(alpha, random)]
  // By logarithms: with a small alpha both draws may be smaller than any number.
  return 1 / (1 + Math.exp(b - a))
}

/**
 * The logarithm of a draw from the gamma distribution: Marsaglia and Tsang, "A simple method for generating gamma
 * variables" (2000), with their section 6 for a shape below 1.
 */
const gammaLog = (shape: number, random: Pick<Random, 'uniform' | 'normal'>): number => {
  if (shape < 1) return gammaLog(shape + 1, random) + Math.log(1 - random.uniform()) / shape
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = random.normal()
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v)
  }
}
