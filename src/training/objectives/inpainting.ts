import { boxMask } from '../mixing/boxMask.js'
import type { Objective } from './objective.js'
import { restoration } from './restoration.js'

/** Options of {@link inpainting}. */
export interface InpaintingOptions {
  /** The side of the hole as a share of the image's (default 0.5: a quarter of the image is gone). */
  readonly share?: number
  /** Where the hole is (default `centre`). */
  readonly place?: 'centre' | 'random'
}

/**
 * Learning to fill a hole in an image (Pathak et al., 2016, "Context encoders", section 3.2, its square error alone): in the
 * hole the model sees the mean of all images, 0, and it gives patches of pixels.
 *
 * Errors of its aim: those of `restoration`.
 *
 * @example
 * inpainting({ share: 0.25, place: 'random' }).config // { share: 0.25, place: 'random' }
 */
export const inpainting = (options: InpaintingOptions = {}): Objective => {
  const { share = 0.5, place = 'centre' } = options
  return restoration('inpainting', { ...options }, (image, random, { height, width, channels }) => {
    const [high, wide] = [Math.max(1, Math.round(share * height)), Math.max(1, Math.round(share * width))]
    const [top, left] = place === 'centre' ? [Math.floor((height - high) / 2), Math.floor((width - wide) / 2)] : [random.below(height - high + 1), random.below(width - wide + 1)]
    const lost = boxMask({ height, width }, { top, bottom: top + high, left, right: left + wide })
    return { shown: image.map((value, i) => (lost[Math.floor(i / channels)] === 1 ? 0 : value)), lost }
  })
}
