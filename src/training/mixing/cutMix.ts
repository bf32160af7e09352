import type { Box, MapSize } from './box.js'
import { reversed } from './reversed.js'

/**
 * CutMix (Yun et al., 2019) of a batch of images `[samples, height, width, channels]`: what is in the box comes from the
 * partner. See `cutBox` for the box; the targets are mixed by `mixUp` with the box's `lambda`.
 *
 * @param box one for all, or one for each sample (timm's modes `pair` and `elem`)
 * @param partners the number of each sample's partner (default: the batch in reverse)
 *
 * @example
 * cutMix(Float32Array.of(1, 2, 3, 4), 2, { height: 1, width: 2 }, { top: 0, bottom: 1, left: 0, right: 1 }) // Float32Array.of(3, 2, 1, 4)
 */
export const cutMix = (images: Float32Array, samples: number, { height, width }: MapSize, box: Box | readonly Box[], partners: readonly number[] = reversed(samples)): Float32Array => {
  const channels = images.length / (samples * height * width)
  const mixed = images.slice()
  for (let sample = 0; sample < samples; sample++) {
    const { top, bottom, left, right } = 'top' in box ? box : box[sample]!
    for (let row = top; row < bottom; row++) {
      const at = (image: number, column: number): number => ((image * height + row) * width + column) * channels
      const partner = partners[sample]!
      mixed.set(images.subarray(at(partner, left), at(partner, right)), at(sample, left))
    }
  }
  return mixed
}
