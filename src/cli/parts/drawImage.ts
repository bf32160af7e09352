import type { DecodedImage } from './decodeImage.js'
import type { Colours } from './terminal.js'

const ramp = ' .:-=+*#%@'

/**
 * An image as lines of text, a line for two rows of pixels: half blocks in grey where there are colours, else
 * characters from light to dense; black above and below is left out. For small images: a pixel is a column.
 */
export const drawImage = ({ height, width, channels, pixels }: DecodedImage, { isColorSupported }: Colours): readonly string[] => {
  const grey = (y: number, x: number): number => {
    let sum = 0
    for (let c = 0; y < height && c < channels; c++) sum += pixels[(y * width + x) * channels + c]!
    return sum / channels
  }
  const cell = (y: number, x: number): string => {
    const [upper, lower] = [grey(y, x), grey(y + 1, x)]
    // 232 to 255 are the greys of the 256-colour palette.
    return isColorSupported ? `\u001b[38;5;${232 + Math.round(23 * upper)};48;5;${232 + Math.round(23 * lower)}m▀` : ramp[Math.round((ramp.length - 1) * (upper + lower) / 2)]!
  }
  const isBlack = (line: number): boolean => Array.from({ length: width }, (_, x) => Math.max(grey(2 * line, x), grey(2 * line + 1, x))).every(value => value < 0.05)
  const lit = Array.from({ length: Math.ceil(height / 2) }, (_, line) => line).filter(line => !isBlack(line))
  const [first = 0, last = -1] = [lit[0], lit.at(-1)]
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).map(line => Array.from({ length: width }, (_, x) => cell(2 * line, x)).join('') + (isColorSupported ? '\u001b[0m' : ''))
}
