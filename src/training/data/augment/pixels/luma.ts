import type { Picture } from './picture.js'

/**
 * The brightness of each pixel, `[height, width, c] → [height, width]`, by ITU-R 601 in 16 bits of fraction; of a grey
 * picture the picture itself. Source: Pillow `Convert.c`, `L24`.
 *
 * @example
 * luma({ height: 1, width: 2, channels: 3, pixels: Uint8Array.of(255, 0, 0, 0, 255, 0) }) // Uint8Array.of(76, 150)
 */
export const luma = ({ height, width, channels, pixels }: Picture): Uint8Array => {
  if (channels === 1) return pixels
  const grey = new Uint8Array(height * width)
  for (let i = 0, from = 0; i < grey.length; i++, from += 3) grey[i] = (pixels[from]! * 19595 + pixels[from + 1]! * 38470 + pixels[from + 2]! * 7471 + 0x8000) >> 16
  return grey
}
