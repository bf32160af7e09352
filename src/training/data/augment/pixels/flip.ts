import type { Picture } from './picture.js'

/**
 * A picture mirrored, `[height, width, c] → [height, width, c]`: left and right exchanged, or top and bottom.
 *
 * @example
 * flip({ height: 1, width: 3, channels: 1, pixels: Uint8Array.of(1, 2, 3) }, 'horizontal').pixels // Uint8Array.of(3, 2, 1)
 */
export const flip = (picture: Picture, direction: 'horizontal' | 'vertical'): Picture => {
  const { height, width, channels, pixels } = picture
  const across = width * channels
  const mirrored = new Uint8Array(pixels.length)
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(y * across, (y + 1) * across)
    if (direction === 'vertical') mirrored.set(row, (height - 1 - y) * across)
    else for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) mirrored[y * across + (width - 1 - x) * channels + c] = row[x * channels + c]!
  }
  return { ...picture, pixels: mirrored }
}
