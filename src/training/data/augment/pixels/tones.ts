import { lookUp } from './lookUp.js'
import type { Picture } from './picture.js'

const table = (of: (byte: number) => number): Uint8Array => Uint8Array.from({ length: 256 }, (_, byte) => of(byte))

/** How many pixels of each channel have each value. */
const histograms = ({ channels, pixels }: Picture): readonly Uint32Array[] =>
  Array.from({ length: channels }, (_, c) => {
    const counts = new Uint32Array(256)
    for (let i = c; i < pixels.length; i += channels) counts[pixels[i]!]!++
    return counts
  })

const unchanged = table(byte => byte)

/** `autoContrast`: the darkest value of a channel becomes 0, the brightest 255. */
const stretch = (counts: Uint32Array): Uint8Array => {
  const [least, most] = [counts.findIndex(count => count > 0), counts.findLastIndex(count => count > 0)]
  if (most <= least) return unchanged
  const scale = 255 / (most - least)
  const offset = -least * scale
  return table(byte => Math.min(255, Math.max(0, Math.trunc(byte * scale + offset))))
}

/** `equalize`: about as many pixels of a channel below each value as the value says. */
const spread = (counts: Uint32Array): Uint8Array => {
  const filled = counts.filter(count => count > 0)
  const step = filled.length <= 1 ? 0 : Math.floor((filled.reduce((sum, count) => sum + count, 0) - filled.at(-1)!) / 255)
  if (step === 0) return unchanged
  let below = Math.floor(step / 2)
  return Uint8Array.from(counts, count => {
    const value = Math.floor(below / step)
    below += count
    return Math.min(255, value)
  })
}

/**
 * Changes of each byte by itself, `[height, width, c] → [height, width, c]`. Source: Pillow `ImageOps.py`; `solarizeAdd`
 * is of the AutoAugment policies, as timm has it.
 *
 * @example
 * tones.solarize({ height: 1, width: 2, channels: 1, pixels: Uint8Array.of(100, 200) }, 128).pixels // Uint8Array.of(100, 55)
 */
export const tones = {
  invert: (picture: Picture): Picture => lookUp(picture, [table(byte => 255 - byte)]),
  /** Values from the threshold on are inverted. */
  solarize: (picture: Picture, threshold: number): Picture => lookUp(picture, [table(byte => (byte < threshold ? byte : 255 - byte))]),
  /** Values below 128 become larger. */
  solarizeAdd: (picture: Picture, more: number): Picture => lookUp(picture, [table(byte => (byte < 128 ? Math.min(255, byte + more) : byte))]),
  /** Only the highest bits of each value are kept, 0 to 8. */
  posterize: (picture: Picture, bits: number): Picture => lookUp(picture, [table(byte => byte & ~(2 ** (8 - bits) - 1))]),
  autoContrast: (picture: Picture): Picture => lookUp(picture, histograms(picture).map(stretch)),
  equalize: (picture: Picture): Picture => lookUp(picture, histograms(picture).map(spread)),
} as const
