import type { Picture } from './picture.js'

/** A third of the circle of hues is 85 steps of 255. */
const turn = 255

/**
 * A picture with its hues turned by a part of their circle (−0.5 to 0.5), `[height, width, c] → [height, width, c]`:
 * through bytes of hue, saturation and value, and back. A grey picture has no hue and stays as it is.
 *
 * Source: torchvision `adjust_hue` on Pillow's mode `HSV` (`Convert.c`), whose floats of 32 and 64 bits are kept apart here too.
 *
 * @example
 * shiftHue({ height: 1, width: 1, channels: 3, pixels: Uint8Array.of(255, 0, 0) }, 1 / 3).pixels // Uint8Array.of(0, 255, 0)
 */
export const shiftHue = (picture: Picture, by: number): Picture => {
  if (picture.channels === 1) return picture
  const steps = Math.trunc(by * turn)
  const pixels = new Uint8Array(picture.pixels.length)
  for (let i = 0; i < pixels.length; i += 3) {
    const [red, green, blue] = [picture.pixels[i]!, picture.pixels[i + 1]!, picture.pixels[i + 2]!]
    const most = Math.max(red, green, blue)
    const range = most - Math.min(red, green, blue)
    const saturation = range === 0 ? 0 : Math.trunc(Math.fround(range / most) * 255)
    if (saturation === 0) {
      pixels[i] = pixels[i + 1] = pixels[i + 2] = most
      continue
    }
    const hue = (Math.trunc(hueOf(red, green, blue, most, range) * turn) + steps + 256) & 255
    writeColour(pixels, i, hue, saturation, most)
  }
  return { ...picture, pixels }
}

const hueOf = (red: number, green: number, blue: number, most: number, range: number): number => {
  const far = (value: number): number => Math.fround((most - value) / range)
  const sixths = red === most ? far(blue) - far(green) : green === most ? 2 + far(red) - far(blue) : 4 + far(green) - far(red)
  return Math.fround((Math.fround(sixths) / 6 + 1) % 1)
}

const writeColour = (pixels: Uint8Array, at: number, hue: number, saturation: number, most: number): void => {
  const sector = Math.floor((hue * 6) / turn)
  const within = Math.fround((hue * 6) / turn - sector)
  const share = Math.fround(saturation / 255)
  const level = (kept: number): number => Math.floor(most * kept + 0.5)
  const [low, falling, rising] = [level(1 - share), level(1 - Math.fround(share * within)), level(1 - share * (1 - within))]
  const colours = [
    [most, rising, low],
    [falling, most, low],
    [low, most, rising],
    [low, falling, most],
    [rising, low, most],
    [most, low, falling],
  ]
  pixels.set(colours[sector % 6]!, at)
}
