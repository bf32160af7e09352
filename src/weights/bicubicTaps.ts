/** For each output position along one axis, which inputs it sees and how much of each: the weights sum to 1. */
export interface Tap {
  readonly inputs: readonly number[]
  readonly weights: readonly number[]
}

/** Keys' cubic convolution kernel (1981, eq. 15), zero from a distance of 2 on. */
const cubic = (a: number, distance: number): number => {
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

/**
 * The taps that resize an axis of `from` samples to `to` samples by cubic convolution with half-pixel centres
 * (output i lies over input (i + ½)·from/to − ½), as PyTorch's `interpolate(mode='bicubic', align_corners=False)`.
 *
 * - `antialias: false`: a = −0.75, always four taps, those beyond the border read the border sample.
 * - `antialias: true`: a = −0.5 as in Pillow, also when enlarging; when shrinking the kernel is widened by from/to;
 *   taps beyond the border are dropped and the rest divided by their sum.
 *
 * Source: PyTorch `UpSample.h` and `UpSampleKernel.cpp` (`HelperInterpCubic`), Pillow `Resample.c`.
 *
 * @example
 * bicubicTaps(1, 2, true) // [{ inputs: [0], weights: [1] }, { inputs: [0], weights: [1] }]
 */
export const bicubicTaps = (from: number, to: number, antialias: boolean): readonly Tap[] =>
  Array.from({ length: to }, (_, i) => (antialias ? antialiasedTap(i, from, to) : fourTaps(((i + 0.5) * from) / to - 0.5, from)))

/**
 * The tap of an output that lies over a position between `from` samples, by plain cubic convolution (a = −0.75).
 *
 * @example
 * fourTaps(1, 3).inputs // [0, 1, 2, 2]
 */
export const fourTaps = (position: number, from: number): Tap => {
  const first = Math.floor(position) - 1
  const around = [first, first + 1, first + 2, first + 3]
  return {
    inputs: around.map((j) => Math.min(Math.max(j, 0), from - 1)),
    weights: around.map((j) => cubic(-0.75, position - j)),
  }
}

/**
 * The tap of output `i` when an axis of `from` samples becomes `to` samples, antialiased, for any kernel that is zero
 * from a distance of `support` on: Keys' cubic with a = −0.5 unless given. Source: Pillow `Resample.c`.
 *
 * @example
 * antialiasedTap(0, 2, 1, distance => Math.max(0, 1 - Math.abs(distance)), 1) // { inputs: [0, 1], weights: [0.5, 0.5] }
 */
export const antialiasedTap = (i: number, from: number, to: number, kernel = (distance: number): number => cubic(-0.5, distance), support = 2): Tap => {
  const widening = Math.max(from / to, 1)
  const centre = ((i + 0.5) * from) / to
  const first = Math.max(Math.trunc(centre - support * widening + 0.5), 0)
  const last = Math.min(Math.trunc(centre + support * widening + 0.5), from)
  const inputs = Array.from({ length: last - first }, (_, j) => first + j)
  const raw = inputs.map((j) => kernel((j + 0.5 - centre) / widening))
  const sum = raw.reduce((total, weight) => total + weight, 0)
  return { inputs, weights: raw.map((weight) => weight / sum) }
}
