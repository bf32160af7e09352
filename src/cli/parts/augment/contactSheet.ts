import { deflateSync } from 'node:zlib'
import type { Picture } from '../../../training/data/augment/pixels/picture.js'
import { dataUrl, escaped } from '../../../training/report/html.js'
import { png } from '../../../training/report/png.js'

/** A picture with a line below it. */
export interface Cell {
  readonly picture: Picture
  readonly label: string
}

/** What a sheet shows: a title, and a row for each image. */
export interface Sheet {
  readonly title: string
  readonly rows: readonly (readonly Cell[])[]
}

/** Small pictures are enlarged by whole numbers, so that the longer side is at least this. */
const leastSide = 112
const [gap, line, letter] = [8, 18, 7.2]

/** Each pixel as a square of so many. */
const enlarged = ({ height, width, channels, pixels }: Picture, times: number): Picture => {
  const larger = new Uint8Array(pixels.length * times * times)
  const across = width * times
  for (let y = 0, to = 0; y < height * times; y++) {
    const row = Math.floor(y / times) * width
    for (let x = 0; x < across; x++) for (let c = 0; c < channels; c++, to++) larger[to] = pixels[(row + Math.floor(x / times)) * channels + c]!
  }
  return { height: height * times, width: across, channels, pixels: larger }
}

const shown = ({ picture, label }: Cell): { readonly url: string; readonly label: string; readonly height: number; readonly width: number } => {
  const times = Math.max(1, Math.ceil(leastSide / Math.max(picture.height, picture.width)))
  const larger = enlarged(picture, times)
  return { url: dataUrl(png(larger, deflateSync)), label, height: larger.height, width: larger.width }
}

/** A text that fits in so many pixels, its end left out where it is longer. */
const fitting = (text: string, width: number): string => {
  const most = Math.max(1, Math.floor(width / letter))
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

/**
 * A sheet of labelled pictures as SVG, a row for each image. All its pictures are in it.
 *
 * @example
 * contactSheet.svg({ title: 'none', rows: [] }).slice(0, 4) // '<svg'
 */
const svg = ({ title, rows }: Sheet): string => {
  const all = rows.map(row => row.map(shown))
  let y = gap + line
  let right = title.length * letter + 2 * gap
  const parts = all.flatMap(row => {
    let x = gap
    const tallest = Math.max(...row.map(({ height }) => height))
    const drawn = row.map(({ url, label, height, width }) => {
      const at = x
      x += width + gap
      return `<image x="${at}" y="${y}" width="${width}" height="${height}" href="${url}"/><text x="${at}" y="${y + height + 13}">${escaped(fitting(label, width))}<title>${escaped(label)}</title></text>`
    })
    y += tallest + line + gap
    right = Math.max(right, x)
    return drawn
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(right)}" height="${y}" font-family="monospace" font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="${gap}" y="${line}">${escaped(title)}</text>${parts.join('')}</svg>\n`
}

/** The same as a page, whose rows wrap. */
const html = ({ title, rows }: Sheet): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title><style>body{font:12px monospace;margin:8px}section{display:flex;flex-wrap:wrap;gap:8px;margin:12px 0}figure{margin:0}img{display:block}</style><p>${escaped(title)}</p>${rows
    .map(row => `<section>${row.map(shown).map(({ url, label, height, width }) => `<figure style="width:${width}px"><img src="${url}" width="${width}" height="${height}" alt="${escaped(label)}"><figcaption>${escaped(label)}</figcaption></figure>`).join('')}</section>`)
    .join('')}</html>\n`

/** Sheets of pictures, as files of two kinds. */
export const contactSheet = { svg, html } as const
