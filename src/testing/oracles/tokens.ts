import type { ClassTokenConfig } from '../../layers/classToken.js'
import type { GlobalPoolConfig } from '../../layers/globalPool.js'
import type { PositionEmbedConfig } from '../../layers/positionEmbed.js'
import { onArray } from './channels.js'
import { at, countOf, meanOf, numbers, partsOf, plus, shaped, stacked, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// Layers that add, take, put together or mark tokens.

export const flattenTokens = (): Run => onArray(x => shaped(x, x.shape[0]! * x.shape[1]!, x.shape[2]!))

const prepended = (name: string) => (place: Place, count = 1): Run =>
  onArray(x => stacked([...partsOf(partsOf(place.weight(name, 1, count, x.shape[1]!))[0]!), ...partsOf(x)]))

export const classToken = (place: Place, { vector }: ClassTokenConfig = {}): Run =>
  vector === undefined ? prepended('cls_token')(place) : onArray(x => stacked([place.weight(vector, x.shape[1]!), ...partsOf(x)]))
export const distillationToken = prepended('dist_token')
export const registerTokens = prepended('reg_token')

export const takeToken = (_: Place, index: number): Run => onArray(x => partsOf(x)[index]!)
export const skipTokens = (_: Place, count: number): Run => onArray(x => stacked(partsOf(x).slice(count)))
export const firstTokens = (_: Place, count: number): Run => onArray(x => stacked(partsOf(x).slice(0, count)))
export const transpose = (): Run => onArray(x => numbers([x.shape[1]!, x.shape[0]!], (channel, token) => at(x, token, channel)))
export const joinTokens = (): Run => record => stacked(Object.values(record as Readonly<Record<string, Numbers>>).flatMap(partsOf))

export const globalPool = (_: Place, { kind = 'average', prefixTokens = 0 }: GlobalPoolConfig<number> = {}): Run =>
  onArray(x => {
    const places = partsOf(shaped(x, countOf(x.shape.slice(0, -1)), x.shape.at(-1)!)).slice(x.shape.length === 2 ? prefixTokens : 0)
    return numbers([x.shape.at(-1)!], channel => {
      const values = places.map(place => place.data[channel]!)
      const [mean, largest] = [meanOf(values), values.reduce((a, b) => (b > a ? b : a))]
      return kind === 'average' ? mean : kind === 'max' ? largest : (mean + largest) / 2
    })
  })

/** Vaswani et al., 2017, section 3.5. */
const onSequence = (position: number, channel: number, dim: number): number => {
  const pair = Math.floor(channel / 2)
  const angle = position / Math.pow(10000, (2 * pair) / dim)
  return channel === 2 * pair ? Math.sin(angle) : Math.cos(angle)
}

/** MAE's `get_2d_sincos_pos_embed`: the column's sines and cosines, then the row's. */
const onGrid = (row: number, column: number, channel: number, dim: number): number => {
  const quarter = dim / 4
  const [part, i] = [Math.floor(channel / quarter), channel % quarter]
  const angle = (part < 2 ? column : row) / Math.pow(10000, i / quarter)
  return part % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
}

export const positionEmbed = (place: Place, { kind = 'learned', grid, stored, table: plain }: PositionEmbedConfig<number> = {}): Run =>
  onArray(x => {
    if (plain !== undefined) return plus(x, place.weight(plain, ...x.shape))
    if (stored !== undefined) return plus(x, partsOf(place.weight(stored, 1, ...x.shape))[0]!)
    if (kind === 'none') return x
    if (kind === 'learned') return plus(x, partsOf(place.weight('pos_embed', 1, ...x.shape))[0]!)
    const [count, dim] = [countOf(x.shape.slice(0, -1)), x.shape.at(-1)!]
    const side = Math.floor(Math.sqrt(count))
    const [rows, columns] = x.shape.length === 3 ? [x.shape[0]!, x.shape[1]!] : (grid ?? [side, side])
    const [down, across] = kind === 'learned2d' ? [place.weight('pos_embed_rows', 1, rows, dim / 2), place.weight('pos_embed_columns', 1, columns, dim / 2)] : []
    const position = (token: number, channel: number): number => {
      if (kind === 'sinCos') return onSequence(token, channel, dim)
      // Class token and registers stand before the patches, and have no place on the grid.
      const patch = token - (count - rows * columns)
      if (patch < 0) return 0
      const [row, column] = [Math.floor(patch / columns), patch % columns]
      if (kind === 'sinCos2d') return onGrid(row, column, channel, dim)
      return channel < dim / 2 ? at(down!, 0, row, channel) : at(across!, 0, column, channel - dim / 2)
    }
    return plus(x, shaped(numbers([count, dim], position), ...x.shape))
  })

/** Swin's: a row for each place. */
export const absolutePositionEmbed = (place: Place): Run =>
  onArray((x: Numbers) => {
    const [height, width, dim] = x.shape as readonly [number, number, number]
    const table = place.weight('absolute_pos_embed', 1, height * width, dim)
    return numbers(x.shape, (row, column, channel) => at(x, row, column, channel) + at(table, 0, row * width + column, channel))
  })
