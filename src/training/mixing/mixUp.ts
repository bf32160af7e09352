import { reversed } from './reversed.js'

/**
 * MixUp (Zhang et al., 2018) of a batch, samples one after the other: `lambda · sample + (1 − lambda) · partner`. It
 * mixes images, and distributions of classes just so.
 *
 * @param samples how many there are
 * @param lambda the share of the sample itself, from 0 to 1: one for all, or one for each sample (timm's modes `pair` and `elem`)
 * @param partners the number of each sample's partner (default: the batch in reverse)
 *
 * @example
 * mixUp(Float32Array.of(1, 3), 2, 0.75) // Float32Array.of(1.5, 2.5)
 */
export const mixUp = (values: Float32Array, samples: number, lambda: number | readonly number[], partners: readonly number[] = reversed(samples)): Float32Array => {
  const size = values.length / samples
  return values.map((x, i) => {
    const sample = Math.floor(i / size)
    const share = typeof lambda === 'number' ? lambda : lambda[sample]!
    return share * x + (1 - share) * values[partners[sample]! * size + (i % size)]!
  })
}
