import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { antialiasedTap, bicubicTaps, fourTaps, type Tap } from './bicubicTaps.js'

/** How one grid becomes another. Sizes are `[height, width]` in samples. */
export interface GridResize {
  readonly from: readonly [height: number, width: number]
  readonly to: readonly [height: number, width: number]
  readonly channels: number
  /** Default `bicubic`. */
  readonly kind?: 'bicubic' | 'bilinear'
  /** Whether the kernel widens where samples get fewer, and is Pillow's; see `bicubicTaps`. */
  readonly antialias: boolean
  /** Whether the outermost samples stay where they are, instead of being centres of intervals (default false). */
  readonly alignCorners?: boolean
  /** Added to the new sizes where positions are worked out: DINO and DINOv2 hand PyTorch a scale of `(to + 0.1) / from` (default 0). */
  readonly scaleOffset?: number
}

/** The most elements a typed array is asked for: 2 GiB of float64. */
const maxElements = 2 ** 28

/**
 * Resizes an image or any other grid, `[fromHeight, fromWidth, channels] → [toHeight, toWidth, channels]`, row-major, as
 * PyTorch's `interpolate` does: `bicubic` or `bilinear`, antialiased or not, with `align_corners` or not, and by a scale
 * that is a little more than the sizes say. Sums are in float64 and rounded once.
 *
 * Errors: `gridMalformed` (a size that is not a positive whole number, or far too large; options that exclude each
 * other), `lengthMismatch`.
 *
 * @example
 * resizeGrid(Float32Array.of(0, 2), { from: [1, 2], to: [1, 3], channels: 1, kind: 'bilinear', antialias: false, alignCorners: true }) // { _tag: 'Right', right: Float32Array.of(0, 1, 2) }
 */
export const resizeGrid = (values: Float32Array, options: GridResize): E.Either<Problem, Float32Array> => {
  const { from, to, channels, antialias, alignCorners = false, scaleOffset = 0 } = options
  if (antialias && (alignCorners || scaleOffset !== 0)) return E.left(problem('gridMalformed', 'resize: antialias goes with neither alignCorners nor scaleOffset'))
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
  const wide = alongAxis(values, height, channels, taps(width, to[1], options), width)
  const tall = alongAxis(wide, 1, to[1] * channels, taps(height, to[0], options), height)
  return E.right(Float32Array.from(tall))
}

/** For each sample of one axis, what it is made of. */
const taps = (from: number, to: number, { kind = 'bicubic', antialias, alignCorners = false, scaleOffset = 0 }: GridResize): readonly Tap[] => {
  if (antialias) return kind === 'bicubic' ? bicubicTaps(from, to, true) : Array.from({ length: to }, (_, i) => antialiasedTap(i, from, to, triangle, 1))
  const position = (i: number): number => (alignCorners ? (to === 1 ? 0 : (i * (from - 1)) / (to - 1)) : ((i + 0.5) * from) / (to + scaleOffset) - 0.5)
  return Array.from({ length: to }, (_, i) => (kind === 'bicubic' ? fourTaps : twoTaps)(position(i), from))
}

const triangle = (distance: number): number => Math.max(0, 1 - Math.abs(distance))

/** Between two neighbours; outside the samples, the outermost one. */
const twoTaps = (position: number, from: number): Tap => {
  const inside = Math.min(Math.max(position, 0), from - 1)
  const first = Math.floor(inside)
  return { inputs: [first, Math.min(first + 1, from - 1)], weights: [1 - (inside - first), inside - first] }
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
