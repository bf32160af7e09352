import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../../shape/problem.js'
import type { Random } from '../../random.js'
import { fitImage, type FitOptions } from '../fitImage.js'
import type { Image } from '../image.js'
import { asPicture } from './asPicture.js'
import type { Target } from './augmentation.js'
import type { Augmentations } from './augmentationsOf.js'
import type { Picture } from './pixels/picture.js'

/** Makes images what a model takes, as `fitImage` does, and augments them on the way. Errors: those of `fitImage`. */
export interface Augmenter {
  /** The picture before it is normalised, `[height, width, channels]`. */
  readonly picture: (image: Image, random: Random) => Either<Problem, Picture>
  /** The values that the model takes, `[height, width, channels]`. */
  readonly values: (image: Image, random: Random) => Either<Problem, Float32Array>
}

/** As a picture is prepared where no step gives it its size: resized and cropped, in bytes. */
const centred = (image: Image, options: FitOptions): Either<Problem, Picture> => {
  const [height, width, channels] = options.shape
  const { mean: _, std: __, ...plain } = options
  const fitted = fitImage(image, plain)
  return fitted._tag === 'Left' ? fitted : right(asPicture({ height, width, channels, pixels: fitted.right }, channels))
}

/**
 * What a list of steps does to images: the one that gives them their size (or the usual resizing and central crop), those
 * that change pictures, normalising, those that erase values. Where none works on pictures, they keep more than 8 bits. The model takes 1 channel or 3, unless none does.
 *
 * @example
 * augmenter({ steps: [], framing: undefined, changes: [], erasings: [], times: 1 }, { shape: [1, 1, 1] }).values({ height: 1, width: 1, channels: 1, pixels: Uint8Array.of(255) }) // right(Float32Array.of(1))
 */
export const augmenter = ({ framing, changes, erasings }: Augmentations, options: FitOptions): Augmenter => {
  const [height, width, channels] = options.shape
  const { mean = [0], interpolation = 'bicubic' } = options
  const fill = Array.from({ length: channels }, (_, c) => Math.min(255, Math.max(0, Math.round(255 * (mean[c] ?? mean[0]!)))))
  const target: Target = { height, width, channels, fill, interpolation }

  const picture = (image: Image, random: Random): Either<Problem, Picture> => {
    const fits = image.channels === channels || (image.channels === 1 && channels === 3) || (image.channels === 3 && channels === 1)
    const framed = framing === undefined || !fits ? centred(image, options) : right(framing.apply(asPicture(image, channels), random, target))
    return framed._tag === 'Left' ? framed : right(changes.reduce((changed, step) => step.apply(changed, random, target), framed.right))
  }

  return {
    picture,
    values: (image, random) => {
      const isPlain = framing === undefined && changes.length === 0
      const made = isPlain ? right(image) : picture(image, random)
      if (made._tag === 'Left') return made
      const fitted = fitImage(made.right, options)
      if (fitted._tag === 'Right') for (const step of erasings) step.apply(fitted.right, random, target)
      return fitted
    },
  }
}
