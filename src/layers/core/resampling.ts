import { constant, matmul, reshape } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** How a resized image is interpolated; `nearest` takes the pixel at or before the place (PyTorch's `nearest`). */
export type ResizeKind = 'nearest' | 'bilinear' | 'bicubic'

/** The names a `kind` option may have. */
export const resizeKinds = ['nearest', 'bilinear', 'bicubic'] as const satisfies readonly ResizeKind[]

/** Keys (1981), equation 4, with `a` free: `a = −0.75` in PyTorch's plain bicubic, `−0.5` in its antialiased one. */
const cubic = (a: number) => (x: number): number => {
  const d = Math.abs(x)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}
const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x))

/**
 * The weight of each of `from` samples in each of `to` samples along one axis; samples are the centres of
 * equal intervals (PyTorch's `align_corners=False`). → `[to, from]`, row by row; every row sums to 1.
 *
 * Plain, samples beyond the ends repeat the outermost one. With `antialias`, as in PIL, the filter widens by
 * `from / to` where that exceeds 1, and is cut off at the ends and normalised again.
 */
export const resamplingMatrix = (from: number, to: number, kind: ResizeKind, antialias: boolean): Float32Array => {
  const weights = new Float32Array(from * to)
  if (kind === 'nearest') {
    for (let i = 0; i < to; i++) weights[i * from + Math.floor((i * from) / to)] = 1
    return weights
  }
  const filter = kind === 'bilinear' ? triangle : cubic(antialias ? -0.5 : -0.75)
  const step = from / to
  const width = antialias ? Math.max(1, step) : 1
  const support = (kind === 'bilinear' ? 1 : 2) * width
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * step - 0.5
    const [first, last] = [Math.floor(centre - support) + 1, Math.ceil(centre + support) - 1]
    const row = new Float64Array(from)
    for (let j = first; j <= last; j++) {
      const inside = Math.min(Math.max(j, 0), from - 1)
      if (inside === j || !antialias) row[inside]! += filter((j - centre) / width)
    }
    const total = row.reduce((a, b) => a + b, 0)
    row.forEach((weight, j) => (weights[i * from + j] = weight / total))
  }
  return weights
}

/** An image at another size, as one product with a constant matrix for each axis. `[height, width, channels] → [rows, columns, channels]`. */
export const resampled = (x: Tensor, rows: number, columns: number, kind: ResizeKind, antialias = false): Tensor => {
  const [height, width, channels] = x.shape as readonly [number, number, number]
  const along = (from: number, to: number): Tensor => constant(resamplingMatrix(from, to, kind, antialias), [to, from])
  const tall = rows === height ? x : reshape(matmul(along(height, rows), reshape(x, [height, width * channels])), [rows, width, channels])
  return columns === width ? tall : matmul(along(width, columns), tall)
}
