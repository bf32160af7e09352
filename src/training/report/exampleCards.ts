import type { Example } from '../evaluate/example.js'
import { dataUrl, escaped, percent } from './html.js'
import { png, type Deflate } from './png.js'

/** How far an attention map hides what it is not about. */
const veil = 220

/** Samples with what the model takes them for, and where it looks. */
export const exampleCards = (examples: readonly Example[], classes: readonly string[], deflate: Deflate): string =>
  `<div class="cards">${examples.map(example => card(example, classes, deflate)).join('')}</div>`

const card = ({ name, label, probabilities, image, attention }: Example, classes: readonly string[], deflate: Deflate): string => {
  const best = probabilities.map((probability, index) => ({ probability, index })).sort((a, b) => b.probability - a.probability).slice(0, 3)
  const isRight = best[0]!.index === label
  const bars = best.map(({ probability, index }) => `<li${index === label ? ' class="true"' : ''}><span style="width:${(100 * probability).toFixed(1)}%"></span>${escaped(classes[index]!)} ${percent(probability)}</li>`).join('')
  const seen = attention === undefined ? '' : `<img alt="where the model looks" src="${dataUrl(png(veiled(image, attention), deflate))}">`
  return `<figure class="${isRight ? 'right' : 'wrong'}"><div class="pictures"><img alt="${escaped(name)}" src="${dataUrl(png(image, deflate))}">${seen}</div><figcaption><b>${escaped(classes[label]!)}</b><br><small>${escaped(name)}</small><ul>${bars}</ul></figcaption></figure>`
}

/** The image, bright where attention is and dark where it is not. The brightest patch is whole. */
const veiled = ({ height, width, channels, pixels }: Example['image'], { rows, columns, weights }: NonNullable<Example['attention']>): Example['image'] => {
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
