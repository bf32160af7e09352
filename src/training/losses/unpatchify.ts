import { OpError } from '../../ops/opError.js'
import { reshape, transpose } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { show, type Shape } from '../../shape/shape.js'

/**
 * Patches as the image they were cut from, the inverse of {@link patchify}:
 * `[patches, patchSize² · channels] → [height, width, channels]`.
 *
 * Like an op, it throws an `OpError` where they are not patches of such an image.
 *
 * @example
 * unpatchify(ops.input('patches', [196, 768]), [224, 224, 3], 16).shape // [224, 224, 3]
 */
export const unpatchify = (patches: Tensor, image: Shape, patchSize: number): Tensor => {
  const [height = 0, width = 0, channels = 0] = image
  const [rows, columns] = [height / patchSize, width / patchSize]
  if (patches.shape[0] !== rows * columns || patches.shape[1] !== patchSize ** 2 * channels) throw new OpError(`unpatchify: ${show(patches.shape)} are no patches of ${patchSize}×${patchSize} of ${show(image)}`)
  return reshape(transpose(reshape(patches, [rows, columns, patchSize, patchSize, channels]), [0, 2, 1, 3, 4]), image)
}
