import type { Framing } from '../augmentation.js'
import { crop } from '../pixels/crop.js'
import { resize } from '../pixels/resize.js'

/** Options of {@link padAndCrop}. */
export interface PadAndCropOptions {
  /** Pixels that are put around (default 4). */
  readonly padding?: number
  /** What stands there: black, or the picture mirrored (default `constant`). */
  readonly mode?: 'constant' | 'reflect'
}

/**
 * A picture with a border put around, and a random part of it of the size that the model takes: `[h, w, c] → [height,
 * width, c]`. One of another size is resized first, until it just covers that size.
 *
 * Source: He et al., Deep residual learning (2016), section 4.2, for CIFAR; with `reflect` the simple random crop of
 * Touvron et al., DeiT III (2022), section 3.
 *
 * @example
 * padAndCrop({ padding: 4, mode: 'reflect' }).config // { padding: 4, mode: 'reflect' }
 */
export const padAndCrop = (options: PadAndCropOptions = {}): Framing => {
  const { padding = 4, mode = 'constant' } = options
  return {
    name: 'padAndCrop',
    config: { ...options },
    kind: 'framing',
    apply: (picture, random, { height, width, interpolation }) => {
      const covers = picture.height * width <= picture.width * height
      const rows = covers ? height : Math.max(height, Math.trunc((width * picture.height) / picture.width))
      const columns = covers ? Math.max(width, Math.trunc((height * picture.width) / picture.height)) : width
      const covering = resize(picture, { top: 0, left: 0, height: picture.height, width: picture.width }, [rows, columns], interpolation)
      return crop(covering, { top: random.below(rows + 2 * padding - height + 1) - padding, left: random.below(columns + 2 * padding - width + 1) - padding, height, width }, mode)
    },
  }
}
