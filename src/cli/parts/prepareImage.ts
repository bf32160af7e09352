import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Preprocessing } from '../../../recipes/index.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, type Shape } from '../../shape/shape.js'
import { resizeBicubic } from '../../weights/resizeBicubic.js'
import type { DecodedImage } from './decodeImage.js'

/**
 * Makes an image what a model takes, `[h, w, 1|3] → [height, width, channels]`: resized so that the central
 * crop keeps its share of the shorter side (bicubic, antialiased), cropped, normalised. An image of the right
 * size is only normalised. Errors: `notAnImageModel`.
 */
export const prepareImage = (image: DecodedImage, shape: Shape, { mean, std, crop }: Preprocessing): Either<Problem, Float32Array> => {
  const [height, width, channels] = shape
  if (shape.length !== 3 || (channels !== 1 && channels !== 3)) return left(problem('notAnImageModel', `the model takes ${show(shape)}, not an image of height, width and 1 or 3 channels`))
  const framed = frame(inColours(image, channels), height!, width!, crop)
  if (framed._tag === 'Left') return framed
  return right(framed.right.map((value, i) => (value - (mean[i % channels] ?? mean[0]!)) / (std[i % channels] ?? std[0]!)))
}

/** Grey is ITU-R 601 luma, as Pillow's mode `L`. */
const inColours = (image: DecodedImage, channels: 1 | 3): DecodedImage => {
  if (image.channels === channels) return image
  const count = image.height * image.width
  const pixels = new Float32Array(count * channels)
  for (let i = 0; i < count; i++) {
    if (channels === 3) pixels.fill(image.pixels[i]!, 3 * i, 3 * i + 3)
    else pixels[i] = 0.299 * image.pixels[3 * i]! + 0.587 * image.pixels[3 * i + 1]! + 0.114 * image.pixels[3 * i + 2]!
  }
  return { ...image, channels, pixels }
}

const frame = (image: DecodedImage, height: number, width: number, crop: number): Either<Problem, Float32Array> => {
  if (image.height === height && image.width === width) return right(image.pixels)
  const [rows, columns] = covering(image, Math.floor(height / crop), Math.floor(width / crop))
  const resized = resizeBicubic(image.pixels, { from: [image.height, image.width], to: [rows, columns], channels: image.channels, antialias: true })
  if (resized._tag === 'Left') return resized
  const [top, leftmost] = [middle(rows - height), middle(columns - width)]
  const cropped = new Float32Array(height * width * image.channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * columns + leftmost) * image.channels
    cropped.set(resized.right.subarray(from, from + width * image.channels), y * width * image.channels)
  }
  // Bicubic overshoots at edges; images of bytes, which the weights were trained on, cannot.
  return right(cropped.map(value => Math.min(1, Math.max(0, value))))
}

/** Half of a margin; halves of pixels go to the even side, as in torchvision's `center_crop`. */
const middle = (margin: number): number => (margin % 4 === 1 ? (margin - 1) / 2 : Math.round(margin / 2))

/** The smallest size of the image's proportions that covers another; the longer side rounded down, as in torchvision. */
const covering = (image: DecodedImage, height: number, width: number): readonly [number, number] =>
  image.height * width <= image.width * height
    ? [height, Math.max(width, Math.trunc((height * image.width) / image.height))]
    : [Math.max(height, Math.trunc((width * image.height) / image.width)), width]
