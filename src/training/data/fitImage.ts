import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show } from '../../shape/shape.js'
import { antialiasedTap, type Tap } from '../../weights/bicubicTaps.js'
import type { Image } from './image.js'
import { resample } from './resample.js'

/** How an image becomes what a model takes. */
export interface FitOptions {
  /** `[height, width, channels]` of the model's input. */
  readonly shape: readonly [height: number, width: number, channels: number]
  /** Taken off each channel after scaling to 0…1, and then divided by `std`; one number stands for all channels. 0 unless given. */
  readonly mean?: readonly number[]
  /** 1 unless given. */
  readonly std?: readonly number[]
  /** The part of the shorter side that the central crop keeps; all of it unless given. */
  readonly crop?: number
  /** Both antialiased; bicubic unless given. */
  readonly interpolation?: 'bicubic' | 'bilinear'
}

/**
 * Makes an image what a model takes, `[h, w, c] → [height, width, channels]`: resized so that the central crop keeps
 * its share of the shorter side, cropped, normalised. An image of the right size is only normalised. Grey becomes
 * three equal channels, colours become ITU-R 601 luma, as Pillow's mode `L`.
 *
 * Errors: `channelsMisfit` (any other change of channels).
 *
 * @example
 * fitImage({ height: 1, width: 2, channels: 1, pixels: Uint8Array.of(0, 255) }, { shape: [1, 2, 1], mean: [0.5], std: [0.5] }) // right(Float32Array.of(-1, 1))
 */
export const fitImage = (image: Image, { shape, mean = [0], std = [1], crop = 1, interpolation = 'bicubic' }: FitOptions): Either<Problem, Float32Array> => {
  const [height, width, channels] = shape
  if (image.channels !== channels && !(image.channels === 1 && channels === 3) && !(image.channels === 3 && channels === 1)) {
    return left(problem('channelsMisfit', `an image of ${show([image.height, image.width, image.channels])} does not become one of ${channels} channels`, { expected: `${channels} channels`, actual: `${image.channels} channels` }))
  }
  const values = framed(image.channels > channels ? inGrey(image) : image, height, width, crop, taps[interpolation])
  const fitted = new Float32Array(height * width * channels)
  // Resizing and spreading grey over three channels commute, and this order does a third of the work.
  const repeated = image.channels === 1 ? channels : 1
  for (let c = 0; c < channels; c++) {
    const [centre, spread] = [mean[c] ?? mean[0]!, std[c] ?? std[0]!]
    const [first, stride] = repeated === 1 ? [c, channels] : [0, 1]
    for (let i = c, from = first; i < fitted.length; i += channels, from += stride) fitted[i] = (values[from]! - centre) / spread
  }
  return right(fitted)
}

/** `[height, width, 3] → [height, width, 1]`. */
const inGrey = ({ height, width, pixels }: Image): Image => {
  const scaled = scale(pixels)
  const grey = new Float32Array(height * width)
  for (let i = 0; i < grey.length; i++) grey[i] = 0.299 * scaled[3 * i]! + 0.587 * scaled[3 * i + 1]! + 0.114 * scaled[3 * i + 2]!
  return { height, width, channels: 1, pixels: grey }
}

const scale = (pixels: Uint8Array | Float32Array): Float32Array => {
  if (pixels instanceof Float32Array) return pixels
  const scaled = new Float32Array(pixels.length)
  for (let i = 0; i < scaled.length; i++) scaled[i] = pixels[i]! / 255
  return scaled
}

type TapOf = (i: number, from: number, to: number) => Tap

const taps: Readonly<Record<'bicubic' | 'bilinear', TapOf>> = {
  bicubic: (i, from, to) => antialiasedTap(i, from, to),
  bilinear: (i, from, to) => antialiasedTap(i, from, to, distance => Math.max(0, 1 - Math.abs(distance)), 1),
}

const framed = (image: Image, height: number, width: number, crop: number, tapOf: TapOf): Float32Array => {
  if (image.height === height && image.width === width) return scale(image.pixels)
  const [rows, columns] = covering(image, Math.floor(height / crop), Math.floor(width / crop))
  const [top, leftmost] = [middle(rows - height), middle(columns - width)]
  // Only what the crop keeps is made: a strip of 1×65535 would be millions of columns.
  const resized = resample(
    image,
    Array.from({ length: height }, (_, y) => tapOf(top + y, image.height, rows)),
    Array.from({ length: width }, (_, x) => tapOf(leftmost + x, image.width, columns)),
  )
  // Bicubic overshoots at edges; images of bytes, which published weights were trained on, cannot.
  for (let i = 0; i < resized.length; i++) resized[i] = Math.min(1, Math.max(0, resized[i]!))
  return resized
}

/** Half of a margin; halves of pixels go to the even side, as in torchvision's `center_crop`. */
const middle = (margin: number): number => (margin % 4 === 1 ? (margin - 1) / 2 : Math.round(margin / 2))

/** The smallest size of the image's proportions that covers another; the longer side rounded down, as in torchvision. */
const covering = (image: Image, height: number, width: number): readonly [number, number] =>
  image.height * width <= image.width * height
    ? [height, Math.max(width, Math.trunc((height * image.width) / image.height))]
    : [Math.max(height, Math.trunc((width * image.height) / image.width)), width]
