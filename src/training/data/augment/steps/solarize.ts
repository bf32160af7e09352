import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { tones } from '../pixels/tones.js'

/** Options of {@link solarize}. */
export interface SolarizeOptions {
  /** The value from which on bytes are inverted, 0 to 256 (default 128). */
  readonly threshold?: number
  /** Default 1. */
  readonly probability?: number
}

/**
 * Bright values inverted, with a probability: `[height, width, c] → [height, width, c]`.
 *
 * @example
 * solarize({ threshold: 128 }).name // 'solarize'
 */
export const solarize = (options: SolarizeOptions = {}): Change => ({
  name: 'solarize',
  config: { ...options },
  kind: 'change',
  apply: (picture, random) => (draws.happens(random, options.probability ?? 1) ? tones.solarize(picture, options.threshold ?? 128) : picture),
})
