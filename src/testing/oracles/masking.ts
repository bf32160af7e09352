import type { FoldConfig } from '../../layers/fold.js'
import type { MaskTokensConfig } from '../../layers/maskTokens.js'
import type { PerformerAttentionConfig } from '../../layers/performerAttention.js'
import type { TokenAttentionConfig } from '../../layers/tokenAttention.js'
import type { UnfoldConfig } from '../../layers/unfold.js'
import type { UnmaskTokensConfig } from '../../layers/unmaskTokens.js'
import { mapped, onArray } from './channels.js'
import { at, countOf, numbers, partsOf, plus, shaped, softmaxOf, stacked, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// What MAE and T2T-ViT do with tokens: take them away and put them back; cut windows out and paste them; attention that changes channels.

type Fields = Readonly<Record<string, Numbers>>

/** MAE's `random_masking`. */
export const maskTokens = (_: Place, { maskRatio, prefixTokens = 0 }: MaskTokensConfig<number, number>): Run => record => {
  const { x, noise } = record as Fields as { x: Numbers; noise: Numbers }
  const rows = partsOf(x)
  const count = noise.data.length
  // The place of a token is how many come before it: those of less noise, and of equal noise the earlier ones.
  const places = Array.from(noise.data, (own, i) => noise.data.reduce((before, other, j) => before + Number(other < own || (other === own && j < i)), 0))
  const kept = Math.trunc(count * (1 - maskRatio))
  const stays = Array.from({ length: kept }, (_row, place) => rows[prefixTokens + places.indexOf(place)]!)
  return { x: stacked([...rows.slice(0, prefixTokens), ...stays]), mask: numbers([count], i => (places[i]! < kept ? 0 : 1)), ids_restore: numbers([count], i => places[i]!) }
}

export const unmaskTokens = (place: Place, { prefixTokens = 0 }: UnmaskTokensConfig<number> = {}): Run => record => {
  const { x, ids_restore: ids } = record as Fields as { x: Numbers; ids_restore: Numbers }
  const token = shaped(place.weight('mask_token', 1, 1, x.shape[1]!), x.shape[1]!)
  const rows = partsOf(x)
  return stacked([...rows.slice(0, prefixTokens), ...Array.from(ids.data, i => rows[prefixTokens + i] ?? token)])
}

/** Nothing is hidden in inference; the weight is there all the same. */
export const hideTokens = (place: Place): Run =>
  onArray(x => {
    place.weight('mask_token', 1, 1, x.shape[1]!)
    return x
  })

/** A pixel of an image, 0 outside. */
const pixel = (x: Numbers, row: number, column: number, channel: number): number => (row < 0 || column < 0 || row >= x.shape[0]! || column >= x.shape[1]! ? 0 : at(x, row, column, channel))

export const unfold = (_: Place, { size, stride = 1, padding = 0 }: UnfoldConfig<number, number, number>): Run =>
  onArray(x => {
    const across = (length: number): number => Math.floor((length + 2 * padding - size) / stride) + 1
    return numbers([across(x.shape[0]!), across(x.shape[1]!), x.shape[2]! * size * size], (row, column, i) => {
      const within = i % (size * size)
      return pixel(x, row * stride - padding + Math.floor(within / size), column * stride - padding + (within % size), Math.floor(i / (size * size)))
    })
  })

export const fold = (_: Place, { imageSize: [height, width], size, stride = 1, padding = 0 }: FoldConfig<number, number, number, number, number>): Run =>
  onArray(x =>
    numbers([height, width, x.shape[2]! / (size * size)], (row, column, channel) => {
      let total = 0
      for (let down = 0; down < x.shape[0]!; down++)
        for (let across = 0; across < x.shape[1]!; across++) {
          const [dy, dx] = [row + padding - down * stride, column + padding - across * stride]
          if (dy >= 0 && dy < size && dx >= 0 && dx < size) total += at(x, down, across, (channel * size + dy) * size + dx)
        }
      return total
    }))

const flat = (x: Numbers): Numbers => shaped(x, countOf(x.shape.slice(0, -1)), x.shape.at(-1)!)
const like = (x: Numbers, y: Numbers): Numbers => shaped(y, ...x.shape.slice(0, -1), y.shape[1]!)
/** One of three packed projections, a vector a token. */
const third = (packed: Numbers, i: number, dim: number): readonly Float64Array[] => partsOf(packed).map(({ data }) => data.slice(i * dim, (i + 1) * dim))
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((total, value, i) => total + value * b[i]!, 0)
/** `Σ weight · value`, over all tokens. */
const weighted = (weights: ArrayLike<number>, values: readonly Float64Array[]): Numbers => numbers([values[0]!.length], c => values.reduce((total, value, i) => total + weights[i]! * value[c]!, 0))

/** T2T-ViT's `Token_performer.single_attn`, query by query rather than by sums over all keys. */
export const performerAttention = (place: Place, { dim, numFeatures, epsilon = 1e-8 }: PerformerAttentionConfig<number>): Run =>
  onArray(x => {
    const packed = mapped(flat(x), place.at('kqv'), 3 * dim, true)
    const directions = partsOf(place.weight('w', numFeatures ?? Math.floor(dim / 2), dim))
    const features = (v: Float64Array): Float64Array => Float64Array.from(directions, ({ data }) => Math.exp(dot(v, data) - dot(v, v) / 2) / Math.sqrt(directions.length))
    const [keys, queries] = [0, 1].map(i => third(packed, i, dim).map(features)) as [Float64Array[], Float64Array[]]
    const values = third(packed, 2, dim)
    const mixed = queries.map(query => {
      const weights = keys.map(key => dot(query, key))
      const total = weights.reduce((a, b) => a + b, 0) + epsilon
      return weighted(weights.map(w => w / total), values)
    })
    const vectors = stacked(values.map(data => ({ shape: [dim], data })))
    return like(x, plus(vectors, mapped(stacked(mixed), place.at('proj'), dim, true)))
  })

/** T2T-ViT's `Attention` of one head, whose values go round it. */
export const tokenAttention = (place: Place, { dim, qkvBias = false, scale }: TokenAttentionConfig<number>): Run =>
  onArray(x => {
    const packed = mapped(flat(x), place.at('qkv'), 3 * dim, qkvBias)
    const [queries, keys, values] = [0, 1, 2].map(i => third(packed, i, dim)) as [Float64Array[], Float64Array[], Float64Array[]]
    const mixed = queries.map(query => weighted(softmaxOf(keys.map(key => dot(query, key) * (scale ?? 1 / Math.sqrt(x.shape.at(-1)!)))), values))
    const vectors = stacked(values.map(data => ({ shape: [dim], data })))
    return like(x, plus(vectors, mapped(stacked(mixed), place.at('proj'), dim, true)))
  })
