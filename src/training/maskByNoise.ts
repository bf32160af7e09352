/** Which patches of an image are kept and which are taken away. */
export interface Masking {
  /** The patches kept, in the order the encoder sees them. */
  readonly keep: readonly number[]
  /** All patches in the order of their noise; the first of them are kept. */
  readonly shuffle: readonly number[]
  /** The place of each patch in `shuffle`, which puts them back. */
  readonly restore: readonly number[]
  /** 1 for a patch that was taken away, 0 for one that was kept. */
  readonly mask: readonly number[]
}

/**
 * Random masking (He et al., 2022, MAE, section 3): the patches with the least noise are kept,
 * `⌊patches · (1 − ratio)⌋` of them. Patches with equal noise stay in order.
 *
 * @param noise a number for each patch of one image
 * @param ratio the share that is taken away, from 0 to below 1
 *
 * @example
 * maskByNoise([0.9, 0.1, 0.5, 0.7], 0.5).keep // [1, 2]
 */
export const maskByNoise = (noise: ArrayLike<number>, ratio: number): Masking => {
  const shuffle = Array.from(noise, (_, i) => i).sort((a, b) => noise[a]! - noise[b]!)
  const kept = Math.floor(noise.length * (1 - ratio))
  const restore = shuffle.reduce<number[]>((places, patch, place) => ((places[patch] = place), places), [])
  return { keep: shuffle.slice(0, kept), shuffle, restore, mask: restore.map(place => (place < kept ? 0 : 1)) }
}
