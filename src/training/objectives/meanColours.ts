/** Images and their square patches. */
export interface Patched {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** How many there are in an image. */
  readonly patches: number
}

/**
 * The mean colour of every patch in eight steps a channel, as one number: `[samples, height, width, channels] →
 * integers [samples, patches]`, from 0 to `8^channels − 1`, the first channel counting most (Dosovitskiy et al., 2020,
 * appendix B.1.2: 3 bits a channel, 512 colours).
 *
 * @param normalised what was taken off each channel, and what it was divided by
 *
 * @example
 * meanColours(Float32Array.of(0, 0.5, 1, 1), 1, { height: 2, width: 2, channels: 1, patches: 1 }, { mean: [0], std: [1] }) // Int32Array.of(5)
 */
export const meanColours = (images: Float32Array, samples: number, { height, width, channels, patches }: Patched, { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] }): Int32Array => {
  const side = Math.sqrt((height * width) / patches)
  const sums = new Float64Array(samples * patches * channels)
  images.forEach((value, i) => {
    const [c, place] = [i % channels, Math.floor(i / channels)]
    const [row, column] = [Math.floor(place / width) % height, place % width]
    const patch = Math.floor(place / (height * width)) * patches + Math.floor(row / side) * (width / side) + Math.floor(column / side)
    sums[patch * channels + c]! += value * (std[c] ?? std[0]!) + (mean[c] ?? mean[0]!)
  })
  const step = (sum: number): number => Math.max(0, Math.min(7, Math.floor((8 * sum) / side ** 2)))
  return Int32Array.from({ length: samples * patches }, (_, patch) => sums.subarray(patch * channels, (patch + 1) * channels).reduce((number, sum) => 8 * number + step(sum), 0))
}
