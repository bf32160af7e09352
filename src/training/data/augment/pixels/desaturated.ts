import { luma } from './luma.js'
import type { Picture } from './picture.js'

/**
 * A picture without its colours, `[height, width, c] → [height, width, c]`: each channel its {@link luma}.
 *
 * @example
 * desaturated({ height: 1, width: 1, channels: 3, pixels: Uint8Array.of(255, 0, 0) }).pixels // Uint8Array.of(76, 76, 76)
 */
export const desaturated = (picture: Picture): Picture => {
  if (picture.channels === 1) return picture
  const grey = luma(picture)
  const pixels = new Uint8Array(picture.pixels.length)
  for (let i = 0, to = 0; i < grey.length; i++, to += 3) pixels[to] = pixels[to + 1] = pixels[to + 2] = grey[i]!
  return { ...picture, pixels }
}
