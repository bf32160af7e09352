import type { Example } from '../evaluate/example.js'
import { dataUrl, escaped, percent } from './html.js'
import { png, type Deflate } from './png.js'
import { veiled } from './veiled.js'

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
