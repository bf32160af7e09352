import type { Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../shape/problem.js'
import { resizeGrid } from './resizeGrid.js'

/** Sizes are `[height, width]` in samples. `antialias` picks the kernel, see `bicubicTaps`. */
export interface ResizeOptions {
  readonly from: readonly [height: number, width: number]
  readonly to: readonly [height: number, width: number]
  readonly channels: number
  readonly antialias: boolean
}

/**
 * Resizes an image or any other grid, `[fromHeight, fromWidth, channels] → [toHeight, toWidth, channels]`, row-major.
 * With `antialias` it equals PyTorch's `interpolate(mode='bicubic', antialias=True)`, that is torchvision's and
 * Pillow's bicubic on floats (fit for image preprocessing: nothing is clipped or rounded to bytes); without, PyTorch's
 * plain bicubic. Sums are in float64 and rounded once, so results differ from PyTorch's float32 by its rounding only.
 *
 * Errors: `gridMalformed` (a size that is not a positive whole number, or far too large), `lengthMismatch`.
 *
 * @example
 * resizeBicubic(Float32Array.of(5), { from: [1, 1], to: [1, 2], channels: 1, antialias: true }) // { _tag: 'Right', right: Float32Array.of(5, 5) }
 */
export const resizeBicubic = (values: Float32Array, { from, to, channels, antialias }: ResizeOptions): Either<Problem, Float32Array> => resizeGrid(values, { from, to, channels, antialias })
