import { OpError } from '../../ops/opError.js'
import { reshape, transpose } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'

/**
 * An image as its patches, row by row, each by row, column and channel (He et al., 2022, MAE):
 * `[height, width, channels] → [patches, patchSize² · channels]`.
 *
 * Like an op, it throws an `OpError` where the image does not divide into patches.
 *
 * @example
 * patchify(ops.input('x', [224, 224, 3]), 16).shape // [196, 768]
 */
export const patchify = (image: Tensor, patchSize: number): Tensor => {
  const [height = 0, width = 0, channels = 0] = image.shape
  const [rows, columns] = [height / patchSize, width / patchSize]
  if (image.shape.length !== 3 || !Number.isInteger(rows) || !Number.isInteger(columns)) throw new OpError(`patchify: ${show(image.shape)} does not divide into patches of ${patchSize}×${patchSize}`)
  return reshape(transpose(reshape(image, [rows, patchSize, columns, patchSize, channels]), [0, 2, 1, 3, 4]), [rows * columns, patchSize ** 2 * channels])
}
