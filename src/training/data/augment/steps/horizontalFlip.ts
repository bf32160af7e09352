import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { flip } from '../pixels/flip.js'

/** Options of a step that is only sometimes taken. */
export interface FlipOptions {
  /** Default 0.5. */
  readonly probability?: number
}

/**
 * Left and right exchanged, with a probability: `[height, width, c] → [height, width, c]`.
 *
 * @example
 * horizontalFlip({ probability: 0.3 }).config // { probability: 0.3 }
 */
export const horizontalFlip = (options: FlipOptions = {}): Change => ({
  name: 'horizontalFlip',
  config: { ...options },
  kind: 'change',
  apply: (picture, random) => (draws.happens(random, options.probability ?? 0.5) ? flip(picture, 'horizontal') : picture),
})
