import { draws } from '../draws.js'
import type { Framing } from '../augmentation.js'
import { resize } from '../pixels/resize.js'
import { randomRegion } from './randomRegion.js'

/** Options of {@link randomResizedCrop}. */
export interface RandomResizedCropOptions {
  /** Least and most share of the picture's area that is kept (default 0.08 to 1). */
  readonly scale?: readonly [number, number]
  /** Least and most width by height of what is kept (default 3/4 to 4/3). */
  readonly ratio?: readonly [number, number]
  /** How it is resized; `random` is one or the other each time (default: that of the data, bicubic). */
  readonly interpolation?: 'bilinear' | 'bicubic' | 'random'
}

/**
 * A random part of a picture, made the size that the model takes: `[h, w, c] → [height, width, c]`; its pixels are those
 * of Pillow's `crop` and `resize`. Source: Szegedy et al. (2015), section 6; torchvision's and timm's training.
 *
 * @example
 * randomResizedCrop({ scale: [0.35, 1] }).kind // 'framing'
 */
export const randomResizedCrop = (options: RandomResizedCropOptions = {}): Framing => {
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], interpolation } = options
  return {
    name: 'randomResizedCrop',
    config: { ...options },
    kind: 'framing',
    apply: (picture, random, target) => {
      const region = randomRegion(picture, { scale, ratio }, random)
      return resize(picture, region, [target.height, target.width], interpolation === 'random' ? draws.oneOf(random, ['bilinear', 'bicubic'] as const) : (interpolation ?? target.interpolation))
    },
  }
}
