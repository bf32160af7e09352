import { add, multiply, reshape, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { patchMoments, type MaskedMeanSquaredOptions } from '../losses/maskedMeanSquared.js'
import { patchify } from '../losses/patchify.js'
import { unpatchify } from '../losses/unpatchify.js'
import type { Pictures } from './objective.js'
import { patchSizeOf } from './patchSizeOf.js'

/**
 * What a model that says what was behind patches was shown, and the image it makes of it: hidden patches are 0, the mean
 * of all images, and then what the model says, brought to each patch's own mean and variance where it need not say these.
 * `[height, width, channels], [patches, patchSize² · channels], [patches] → { shown, made: [height, width, channels] }`.
 *
 * @param hidden 1 for a patch that the model did not see
 *
 * @example
 * maskedPictures(ops.input('x', [8, 8, 3]), ops.input('pred', [4, 48]), ops.input('mask', [4])).made.shape // [8, 8, 3]
 */
export const maskedPictures = (image: Tensor, predicted: Tensor, hidden: Tensor, { normalisePixels = false }: MaskedMeanSquaredOptions = {}): Pictures => {
  const side = patchSizeOf(predicted, image) as number
  const patches = patchify(image, side)
  const mask = reshape(hidden, [hidden.shape[0] as number, 1])
  const shown = multiply(patches, subtract(scalar(1), mask))
  const { centre, spread } = patchMoments(patches)
  const said = normalisePixels ? add(multiply(predicted, spread), centre) : predicted
  return { shown: unpatchify(shown, image.shape, side), made: unpatchify(add(shown, multiply(said, mask)), image.shape, side) }
}
