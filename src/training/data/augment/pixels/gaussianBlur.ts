import type { Picture } from './picture.js'

const passes = 3
const one = 2 ** 24

/** The radius of the box whose three passes spread as far as a Gaussian; its fraction is the share of the outermost pixels. */
const boxRadius = (radius: number): number => {
  const f = Math.fround
  const variance = f(f(f(radius) * f(radius)) / passes)
  const length = f(Math.sqrt(12 * variance + 1))
  const whole = f(Math.floor((length - 1) / 2))
  const part = f((2 * whole + 1) * f(f(whole * (whole + 1)) - f(3 * variance)))
  return f(whole + f(part / f(6 * f(variance - f((whole + 1) * (whole + 1))))))
}

/** A line of values, `stride` apart from `first` on, averaged over a box; those beyond the ends are like the ends. */
const averageLine = (values: Uint8Array, first: number, stride: number, line: Uint8Array, radius: number, inner: number, outer: number): void => {
  const last = line.length - 1
  for (let i = 0; i <= last; i++) line[i] = values[first + i * stride]!
  // What the box holds around place −1.
  let sum = line[0]! * (radius + 1)
  for (let i = 0; i < radius; i++) sum += line[Math.min(i, last)]!
  for (let i = 0; i <= last; i++) {
    const before = line[Math.max(i - radius - 1, 0)]!
    sum += line[Math.min(i + radius, last)]! - before
    values[first + i * stride] = (sum * inner + (before + line[Math.min(i + radius + 1, last)]!) * outer + one / 2) / one
  }
}

/**
 * A picture blurred as by a Gaussian, `[height, width, c] → [height, width, c]`: three box blurs along the rows, then
 * three along the columns, in whole numbers. `radius` is the standard deviation in pixels.
 *
 * Source: Pillow `BoxBlur.c`, after Gwosdek et al., Theoretical foundations of Gaussian convolution by extended box filtering (2011).
 *
 * @example
 * gaussianBlur({ height: 1, width: 3, channels: 1, pixels: Uint8Array.of(0, 255, 0) }, 0.5).pixels // Uint8Array.of(28, 199, 28)
 */
export const gaussianBlur = (picture: Picture, radius: number): Picture => {
  const { height, width, channels } = picture
  const spread = boxRadius(radius)
  const whole = Math.trunc(spread)
  const inner = Math.trunc(Math.fround(one / Math.fround(spread * 2 + 1)))
  const outer = Math.floor((one - (whole * 2 + 1) * inner) / 2)
  const pixels = Uint8Array.from(picture.pixels)
  const [row, column] = [new Uint8Array(width), new Uint8Array(height)]
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) for (let pass = 0; pass < passes; pass++) averageLine(pixels, y * width * channels + c, channels, row, whole, inner, outer)
    for (let x = 0; x < width; x++) for (let pass = 0; pass < passes; pass++) averageLine(pixels, x * channels + c, width * channels, column, whole, inner, outer)
  }
  return { ...picture, pixels }
}
