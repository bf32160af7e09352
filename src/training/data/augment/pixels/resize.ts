import { antialiasedTap, type Tap } from '../../../../weights/bicubicTaps.js'
import type { Region } from './crop.js'
import type { Picture } from './picture.js'

/** Weights are whole numbers of 2⁻²²: a sum of them times bytes stays within 32 bits. */
const bits = 22

/** For each place along an axis, where its weights begin and how many inputs it sees, from which on. */
interface Taps {
  readonly firsts: Int32Array
  readonly counts: Int32Array
  readonly weights: Int32Array
}

const tapsOf = (from: number, to: number, interpolation: 'bilinear' | 'bicubic'): Taps => {
  const taps: readonly Tap[] = Array.from({ length: to }, (_, i) => (interpolation === 'bicubic' ? antialiasedTap(i, from, to) : antialiasedTap(i, from, to, distance => Math.max(0, 1 - Math.abs(distance)), 1)))
  return {
    firsts: Int32Array.from(taps, tap => tap.inputs[0]!),
    counts: Int32Array.from(taps, tap => tap.inputs.length),
    weights: Int32Array.from(taps.flatMap(tap => tap.weights.map(weight => Math.trunc(weight * 2 ** bits + (weight < 0 ? -0.5 : 0.5))))),
  }
}

/**
 * Part of a picture made smaller or larger, antialiased, `[h, w, c] → [height, width, c]`: first along rows, then along
 * columns, each rounded to bytes. The region lies within the picture. Source: Pillow `Resample.c`, its eight-bit paths.
 *
 * @example
 * resize({ height: 1, width: 4, channels: 1, pixels: Uint8Array.of(9, 0, 100, 200) }, { top: 0, left: 2, height: 1, width: 2 }, [1, 1], 'bilinear').pixels // Uint8Array.of(150)
 */
export const resize = (picture: Picture, region: Region, [height, width]: readonly [height: number, width: number], interpolation: 'bilinear' | 'bicubic'): Picture => {
  const { channels } = picture
  const wide = alongRows(picture, region, width, interpolation)
  if (height === region.height) return { height, width, channels, pixels: wide }
  const { firsts, counts, weights } = tapsOf(region.height, height, interpolation)
  const across = width * channels
  const pixels = new Uint8Array(height * across)
  const sums = new Int32Array(across)
  for (let y = 0, weight = 0; y < height; y++) {
    sums.fill(half)
    for (let t = 0; t < counts[y]!; t++, weight++) addScaled(wide, (firsts[y]! + t) * across, weights[weight]!, sums)
    writeBytes(sums, pixels, y * across)
  }
  return { height, width, channels, pixels }
}

const alongRows = ({ width: stride, channels, pixels }: Picture, { top, left, height, width: from }: Region, width: number, interpolation: 'bilinear' | 'bicubic'): Uint8Array => {
  const wide = new Uint8Array(height * width * channels)
  const { firsts, counts, weights } = tapsOf(from, width, interpolation)
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * stride + left) * channels
    if (from === width) wide.set(pixels.subarray(start, start + width * channels), y * width * channels)
    else if (channels === 3) sumColours(pixels, start, firsts, counts, weights, wide, y * width * 3)
    else sumTaps(pixels, start, firsts, counts, weights, wide, y * width)
  }
  return wide
}

// Small loops in functions of their own, and colours side by side: the compiler keeps their numbers in registers.

const half = 1 << (bits - 1)

const sumTaps = (pixels: Uint8Array, start: number, firsts: Int32Array, counts: Int32Array, weights: Int32Array, wide: Uint8Array, to: number): void => {
  for (let x = 0, weight = 0; x < firsts.length; x++) {
    let sum = half
    let from = start + firsts[x]!
    for (const end = weight + counts[x]!; weight < end; weight++, from++) sum = (sum + Math.imul(pixels[from]!, weights[weight]!)) | 0
    wide[to + x] = byte(sum >> bits)
  }
}

const sumColours = (pixels: Uint8Array, start: number, firsts: Int32Array, counts: Int32Array, weights: Int32Array, wide: Uint8Array, to: number): void => {
  for (let x = 0, weight = 0; x < firsts.length; x++, to += 3) {
    let red = half
    let green = half
    let blue = half
    let from = start + firsts[x]! * 3
    for (const end = weight + counts[x]!; weight < end; weight++, from += 3) {
      const share = weights[weight]!
      red = (red + Math.imul(pixels[from]!, share)) | 0
      green = (green + Math.imul(pixels[from + 1]!, share)) | 0
      blue = (blue + Math.imul(pixels[from + 2]!, share)) | 0
    }
    wide[to] = byte(red >> bits)
    wide[to + 1] = byte(green >> bits)
    wide[to + 2] = byte(blue >> bits)
  }
}

const addScaled = (values: Uint8Array, from: number, weight: number, sums: Int32Array): void => {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + Math.imul(values[from + i]!, weight)
}

const writeBytes = (sums: Int32Array, pixels: Uint8Array, to: number): void => {
  for (let i = 0; i < sums.length; i++) pixels[to + i] = byte(sums[i]! >> bits)
}

const byte = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value)
