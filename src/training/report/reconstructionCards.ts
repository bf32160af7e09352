import type { Reconstruction } from '../evaluate/reconstructions.js'
import { dataUrl, escaped } from './html.js'
import { png, type Deflate } from './png.js'

/** Images as a model was shown them, as it made them, and as they were. */
export const reconstructionCards = (reconstructions: readonly Reconstruction[], deflate: Deflate): string =>
  `<div class="cards">${reconstructions.map(each => card(each, deflate)).join('')}</div>`

const card = ({ name, image, shown, made }: Reconstruction, deflate: Deflate): string => {
  const pictures = [['shown', shown], ['made', made], ['image', image]] as const
  return `<figure class="right"><div class="pictures">${pictures.map(([what, picture]) => `<img alt="${what}" src="${dataUrl(png(picture, deflate))}">`).join('')}</div><figcaption><small>${escaped(name)}</small></figcaption></figure>`
}
