import { desaturated } from './desaturated.js'
import { lookUp } from './lookUp.js'
import { luma } from './luma.js'
import type { Picture } from './picture.js'

/**
 * From one value to another and beyond: 0 gives the first, 1 the second. Products and sums are rounded to float32 and the
 * result down, as in Pillow's `Blend.c`.
 */
const mixed = (from: number, to: number, share: number): number => {
  const value = Math.fround(from + Math.fround(share * (to - from)))
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value)
}

const blend = (from: Uint8Array, to: Picture, factor: number): Picture => {
  if (factor === 1) return to
  const share = Math.fround(factor)
  const pixels = new Uint8Array(from.length)
  for (let i = 0; i < pixels.length; i++) pixels[i] = mixed(from[i]!, to.pixels[i]!, share)
  return { ...to, pixels }
}

/** The same from one value everywhere: what becomes of a byte depends on nothing else. */
const blendOne = (from: number, to: Picture, factor: number): Picture =>
  factor === 1 ? to : lookUp(to, [Uint8Array.from({ length: 256 }, (_, byte) => mixed(from, byte, Math.fround(factor)))])

/** Each pixel with its eight neighbours, itself five times, out of 13; those at the border as they are. Pillow's `SMOOTH`. */
const smooth = (picture: Picture): Uint8Array => {
  const { height, width, channels, pixels } = picture
  const across = width * channels
  const smoothed = Uint8Array.from(pixels)
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * across + channels; i < (y + 1) * across - channels; i++) {
      const [above, below] = [i - across, i + across]
      const sum = pixels[above - channels]! + pixels[above]! + pixels[above + channels]! + pixels[i - channels]! + 5 * pixels[i]! + pixels[i + channels]! + pixels[below - channels]! + pixels[below]! + pixels[below + channels]!
      // A thirteenth is never halfway between two bytes, so that the order of Pillow's float sums does not matter.
      smoothed[i] = Math.floor(sum / 13 + 0.5)
    }
  }
  return smoothed
}

/**
 * Pillow's `ImageEnhance`, `[height, width, c] → [height, width, c]`: with a factor of 1 a picture stays as it is, with
 * 0 it loses what is named, above 1 it has more of it.
 *
 * @example
 * enhance.brightness({ height: 1, width: 2, channels: 1, pixels: Uint8Array.of(100, 200) }, 1.5).pixels // Uint8Array.of(150, 255)
 */
export const enhance = {
  /** 0 is black. */
  brightness: (picture: Picture, factor: number): Picture => blendOne(0, picture, factor),
  /** 0 is one grey, the mean of the picture's luma. */
  contrast: (picture: Picture, factor: number): Picture => {
    const grey = luma(picture)
    let sum = 0
    for (let i = 0; i < grey.length; i++) sum += grey[i]!
    const mean = Math.trunc(sum / grey.length + 0.5)
    return blendOne(mean, picture, factor)
  },
  /** 0 is grey; a picture that is grey stays as it is. */
  saturation: (picture: Picture, factor: number): Picture => blend(desaturated(picture).pixels, picture, factor),
  /** 0 is smoothed. */
  sharpness: (picture: Picture, factor: number): Picture => blend(smooth(picture), picture, factor),
} as const
