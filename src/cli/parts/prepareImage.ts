import { left, type Either } from 'fp-ts/lib/Either.js'
import type { Preprocessing } from '../../../recipes/index.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, type Shape } from '../../shape/shape.js'
import { fitImage } from '../../training/data/fitImage.js'
import type { DecodedImage } from './decodeImage.js'

/** Makes an image what a model takes, `[h, w, 1|3] → [height, width, channels]`, as training does, see `fitImage`. Errors: `notAnImageModel`. */
export const prepareImage = (image: DecodedImage, shape: Shape, preprocessing: Preprocessing): Either<Problem, Float32Array> => {
  const [height, width, channels] = shape
  if (shape.length !== 3 || (channels !== 1 && channels !== 3)) return left(problem('notAnImageModel', `the model takes ${show(shape)}, not an image of height, width and 1 or 3 channels`))
  return fitImage(image, { ...preprocessing, shape: [height!, width!, channels] })
}
