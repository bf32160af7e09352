import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { desaturated } from '../pixels/desaturated.js'

/** Options of {@link grayscale}. */
export interface GrayscaleOptions {
  /** Default 1. */
  readonly probability?: number
}

/**
 * The colours taken away, with a probability: `[height, width, c] → [height, width, c]`, all channels alike.
 *
 * @example
 * grayscale({ probability: 0.2 }).config // { probability: 0.2 }
 */
export const grayscale = (options: GrayscaleOptions = {}): Change => ({
  name: 'grayscale',
  config: { ...options },
  kind: 'change',
  apply: (picture, random) => (draws.happens(random, options.probability ?? 1) ? desaturated(picture) : picture),
})
