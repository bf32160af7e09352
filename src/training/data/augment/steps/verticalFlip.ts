import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { flip } from '../pixels/flip.js'
import type { FlipOptions } from './horizontalFlip.js'

/**
 * Top and bottom exchanged, with a probability: `[height, width, c] → [height, width, c]`.
 *
 * @example
 * verticalFlip().name // 'verticalFlip'
 */
export const verticalFlip = (options: FlipOptions = {}): Change => ({
  name: 'verticalFlip',
  config: { ...options },
  kind: 'change',
  apply: (picture, random) => (draws.happens(random, options.probability ?? 0.5) ? flip(picture, 'vertical') : picture),
})
