import type { Image } from '../image.js'
import { luma } from './pixels/luma.js'
import type { Picture } from './pixels/picture.js'

/**
 * An image as a picture of so many channels, `[h, w, 1 or 3] → [h, w, channels]`: floats rounded to bytes, grey as three
 * equal channels, colours as their luma. Other channels stay as they are.
 *
 * @example
 * asPicture({ height: 1, width: 1, channels: 1, pixels: Float32Array.of(0.5) }, 3).pixels // Uint8Array.of(128, 128, 128)
 */
export const asPicture = ({ pixels: given, ...size }: Image, channels: number): Picture => {
  const pixels = given instanceof Uint8Array ? given : Uint8Array.from(given, value => Math.min(255, Math.max(0, Math.round(value * 255))))
  const picture = { ...size, pixels }
  if (size.channels === 3 && channels === 1) return { ...picture, channels, pixels: luma(picture) }
  if (size.channels !== 1 || channels !== 3) return picture
  const spread = new Uint8Array(pixels.length * 3)
  for (let i = 0; i < pixels.length; i++) spread[3 * i] = spread[3 * i + 1] = spread[3 * i + 2] = pixels[i]!
  return { ...picture, channels, pixels: spread }
}
