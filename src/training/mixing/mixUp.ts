import { reversed } from './reversed.js'

/**
 * MixUp (Zhang et al., 2018) of a batch, samples one after the other: `lambda · sample + (1 − lambda) · partner`. It
 * mixes images, and distributions of classes just so.
 *
 * @param samples how many there are
 * @param lambda the share of the sample itself, from 0 to 1
 * @param partners the number of each sample's partner (default: the batch in reverse)
 *
 * @example
 * mixUp(Float32Array.of(1, 3), 2, 0.75) // Float32Array.of(1.5, 2.5)
 */
export const mixUp = (values: Float32Array, samples: number, lambda: number, partners: readonly number[] = reversed(samples)): Float32Array => {
  const size = values.length / samples
  return values.map((x, i) => lambda * x + (1 - lambda) * values[partners[Math.floor(i / size)]! * size + (i % size)]!)
}
