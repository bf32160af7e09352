import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { bicubicTaps, type Tap } from './bicubicTaps.js'

/** Sizes are `[height, width]` in samples. `antialias` picks the kernel, see `bicubicTaps`. */
export interface ResizeOptions {
  readonly from: readonly [height: number, width: number]
  readonly to: readonly [height: number, width: number]
  readonly channels: number
  readonly antialias: boolean
}

/** The most elements a typed array is asked for: 2 GiB of float64. */
const maxElements = 2 ** 28

/**
 * Resizes an image or any other grid, `[fromHeight, fromWidth, channels] → [toHeight, toWidth, channels]`, row-major.
 * With `antialias` it equals PyTorch's `interpolate(mode='bicubic', antialias=True)`, that is torchvision's and
 * Pillow's bicubic on floats (fit for image preprocessing: nothing is clipped or rounded to bytes); without, PyTorch's
 * plain bicubic. Sums are in float64 and rounded once, so results differ from PyTorch's float32 by its rounding only.
 *
 * Problems: `gridMalformed` (a size that is not a positive whole number, or far too large), `lengthMismatch`.
 *
 * @example
 * resizeBicubic(Float32Array.of(5), { from: [1, 1], to: [1, 2], channels: 1, antialias: true }) // { _tag: 'Right', right: Float32Array.of(5, 5) }
 */
export const resizeBicubic = (values: Float32Array, options: ResizeOptions): E.Either<Problem, Float32Array> => {
  const { from, to, channels, antialias } = options
  const sizes = [...from, ...to, channels]
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    return E.left(problem('gridMalformed', `resize: sizes must be positive whole numbers, not ${show(from, channels)} to ${show(to, channels)}`))
  }
  const [height, width] = from
  if (Math.max(height, to[0]) * Math.max(width, to[1]) * channels > maxElements) {
    return E.left(problem('gridMalformed', `resize: ${show(from, channels)} to ${show(to, channels)} is too large`))
  }
  const needed = height * width * channels
  if (values.length !== needed) {
    return E.left(problem('lengthMismatch', `resize: ${values.length} values are not a grid of ${show(from, channels)}`, {
      expected: `${needed} values`,
      actual: `${values.length} values`,
    }))
  }
  // Rows, then columns; either order gives the same sums but for rounding.
  const wide = alongAxis(values, height, channels, bicubicTaps(width, to[1], antialias), width)
  const tall = alongAxis(wide, 1, to[1] * channels, bicubicTaps(height, to[0], antialias), height)
  return E.right(Float32Array.from(tall))
}

const show = (size: readonly number[], channels: number): string => [...size, channels].join('×')

/** `[outer, length, inner] → [outer, taps.length, inner]`, each output the weighted sum of its inputs. */
const alongAxis = (
  values: Float32Array | Float64Array,
  outer: number,
  inner: number,
  taps: readonly Tap[],
  length: number,
): Float64Array => {
  const result = new Float64Array(outer * taps.length * inner)
  for (let o = 0; o < outer; o++) {
    taps.forEach(({ inputs, weights }, i) => {
      const to = (o * taps.length + i) * inner
      inputs.forEach((input, t) => {
        const weight = weights[t]!
        const from = (o * length + input) * inner
        for (let c = 0; c < inner; c++) result[to + c]! += weight * values[from + c]!
      })
    })
  }
  return result
}
