import { affine } from './affine.js'
import type { Interpolation, Picture } from './picture.js'

/** To 15 places, as Pillow does: without, a right angle would miss pixels by the last bit of a cosine. */
const round = (value: number): number => Number(value.toFixed(15))

/**
 * A picture turned about its centre by so many degrees, counter-clockwise, within its frame: `[height, width, c] →
 * [height, width, c]`; see {@link affine}. Source: Pillow `Image.rotate`.
 *
 * @example
 * rotate({ height: 1, width: 3, channels: 1, pixels: Uint8Array.of(1, 2, 3) }, 180, 'nearest', [0]).pixels // Uint8Array.of(3, 2, 1)
 */
export const rotate = (picture: Picture, degrees: number, interpolation: Interpolation, fill: readonly number[]): Picture => {
  const { height, width } = picture
  const angle = (-(((degrees % 360) + 360) % 360) * Math.PI) / 180
  const [cos, sin] = [round(Math.cos(angle)), round(Math.sin(angle))]
  const [x, y] = [width / 2, height / 2]
  return affine(picture, [cos, sin, cos * -x + sin * -y + 0 + x, -sin, cos, -sin * -x + cos * -y + 0 + y], interpolation, fill)
}
