import type { Picture } from './picture.js'

/**
 * A picture with each byte looked up, `[height, width, c] → [height, width, c]`: one table of 256 for all channels, or one
 * for each.
 *
 * @example
 * lookUp({ height: 1, width: 2, channels: 1, pixels: Uint8Array.of(0, 1) }, [Uint8Array.of(7, 9)]).pixels // Uint8Array.of(7, 9)
 */
export const lookUp = (picture: Picture, tables: readonly Uint8Array[]): Picture => {
  const { channels, pixels } = picture
  const changed = new Uint8Array(pixels.length)
  for (let c = 0; c < channels; c++) {
    const table = tables[c] ?? tables[0]!
    for (let i = c; i < pixels.length; i += channels) changed[i] = table[pixels[i]!]!
  }
  return { ...picture, pixels: changed }
}
