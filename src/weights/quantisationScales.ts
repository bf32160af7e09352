import { sizeOf, type Shape } from '../shape/shape.js'

/** Options of {@link quantisationScales}. */
export interface QuantisationScalesOptions {
  /** The smallest and the largest whole number (default `[-127, 127]`). */
  readonly range?: readonly [least: number, most: number]
  /** The axis whose slices get a scale each; else there is one for all. */
  readonly axis?: number
}

/**
 * The scales that bring the largest magnitude to the end of a symmetric range: `max |x| / ½(most − least)`. With `[-127,
 * 127]` that is `max |x| / 127`, with `[-128, 127]` what PyTorch's observers take. `[...] → ` one, or one for each slice of
 * `axis`. Values that are all 0 get the scale 1.
 *
 * @example
 * quantisationScales(Float32Array.of(1, -2, 0.5, 1), [2, 2], { axis: 0 }).map(scale => Math.round(127 * scale)) // [2, 1]
 */
export const quantisationScales = (values: ArrayLike<number>, shape: Shape, { range: [least, most] = [-127, 127], axis }: QuantisationScalesOptions = {}): readonly number[] => {
  const count = axis === undefined ? 1 : shape[axis]!
  const after = axis === undefined ? 1 : sizeOf(shape.slice(axis + 1))
  const largest = new Float64Array(count)
  for (let i = 0; i < values.length; i++) {
    const slice = axis === undefined ? 0 : Math.floor(i / after) % count
    largest[slice] = Math.max(largest[slice]!, Math.abs(values[i]!))
  }
  return Array.from(largest, value => (value === 0 ? 1 : value / ((most - least) / 2)))
}
