import type { Example } from '../evaluate/example.js'

/** How far an attention map hides what it is not about. */
const veil = 220

/** The image, bright where attention is and dark where it is not. The brightest patch is whole. */
export const veiled = ({ height, width, channels, pixels }: Example['image'], { rows, columns, weights }: NonNullable<Example['attention']>): Example['image'] => {
  const [least, most] = [Math.min(...weights), Math.max(...weights)]
  const shaded = new Uint8Array(height * width * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const weight = weights[Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width)]!
      const light = most > least ? (weight - least) / (most - least) : 1
      const shade = (255 - veil * (1 - light)) / 255
      for (let c = 0; c < 3; c++) shaded[(y * width + x) * 3 + c] = Math.round(pixels[(y * width + x) * channels + (channels === 3 ? c : 0)]! * shade)
    }
  return { height, width, channels: 3, pixels: shaded }
}
