import type { Tensor } from '../../ops/tensor.js'

/**
 * The side of the square patches whose pixels a model gives, `[patches, side² · channels]` of an image
 * `[height, width, channels]`; nothing where they are not those of the image.
 *
 * @example
 * patchSizeOf(ops.input('pixels', [196, 768]), ops.input('x', [224, 224, 3])) // 16
 */
export const patchSizeOf = ({ shape: pixels }: Tensor, { shape: image }: Tensor): number | undefined => {
  const [height = 0, width = 0, channels = 1] = image
  const side = Math.sqrt((pixels[1] ?? 0) / channels)
  return pixels.length === 2 && image.length === 3 && Number.isInteger(side) && pixels[0] === (height / side) * (width / side) ? side : undefined
}
