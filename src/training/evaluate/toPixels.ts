import type { Image } from '../data/image.js'

/** How pixels were normalised. */
export interface Normalised {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/**
 * A normalised image `[height, width, channels]` as bytes; what lies outside 0 to 255 is cut off.
 *
 * @example
 * toPixels(Float32Array.of(-1, 1), [1, 2, 1], { mean: [0.5], std: [0.5] }).pixels // Uint8Array.of(0, 255)
 */
export const toPixels = (values: Float32Array, [height, width, channels]: readonly [number, number, number], { mean, std }: Normalised): Image & { readonly pixels: Uint8Array } => ({
  height,
  width,
  channels,
  pixels: Uint8Array.from(values, (value, at) => {
    const c = at % channels
    return Math.max(0, Math.min(255, Math.round(255 * (value * (std[c] ?? std[0]!) + (mean[c] ?? mean[0]!)))))
  }),
})
