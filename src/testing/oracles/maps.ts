import type { AveragePoolConfig } from '../../layers/averagePool.js'
import type { Conv2dConfig } from '../../layers/conv2d.js'
import type { Padding } from '../../layers/core/padding.js'
import type { PoolConfig } from '../../layers/core/pooling.js'
import type { DepthwiseConv2dConfig } from '../../layers/depthwiseConv2d.js'
import type { PatchEmbedConfig } from '../../layers/patchEmbed.js'
import type { PatchMergingConfig } from '../../layers/patchMerging.js'
import type { ResizeKind } from '../../layers/core/resampling.js'
import type { ResizeConfig } from '../../layers/resize.js'
import type { SqueezeExciteConfig } from '../../layers/squeezeExcite.js'
import type { StdConv2dConfig } from '../../layers/stdConv2d.js'
import type { Activation } from '../../layers/core/activation.js'
import { activate, logistic } from './activations.js'
import { layerNormed, onArray } from './channels.js'
import { at, meanOf, numbers, partsOf, project, stacked, standardised, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// Layers on maps, height×width×channels: convolutions, pools, and what changes a map's size.

type Two = readonly [number, number]
const two = (size: number | Two): Two => (typeof size === 'number' ? [size, size] : size)

/** Along one axis: how many positions a window has, and where the first one begins. */
const along = (size: number, window: number, stride: number, padding: Padding): { readonly count: number; readonly begin: number } => {
  if (padding !== 'same') return { count: Math.floor((size + 2 * padding - window) / stride) + 1, begin: -padding }
  const count = Math.ceil(size / stride)
  return { count, begin: -Math.floor(Math.max(0, (count - 1) * stride + window - size) / 2) }
}

/** PyTorch's `conv2d` (a correlation): weight `[out, in/groups, height, width]`, zeros outside the map. */
export const convolved = (x: Numbers, weight: Numbers, bias: Numbers | undefined, stride: Two, padding: Padding, groups = 1): Numbers => {
  const [height, width, channels] = x.shape as readonly [number, number, number]
  const [out, inGroup, tall, wide] = weight.shape as readonly [number, number, number, number]
  const [rows, columns] = [along(height, tall, stride[0], padding), along(width, wide, stride[1], padding)]
  return numbers([rows.count, columns.count, out], (row, column, channel) => {
    const first = Math.floor(channel / (out / groups)) * inGroup
    let total = bias === undefined ? 0 : at(bias, channel)
    for (let i = 0; i < tall; i++)
      for (let j = 0; j < wide; j++) {
        const [y, z] = [rows.begin + row * stride[0] + i, columns.begin + column * stride[1] + j]
        if (y < 0 || y >= height || z < 0 || z >= width) continue
        // Written with plain indices: nearly all the time goes here.
        for (let c = 0; c < inGroup; c++) total += x.data[(y * width + z) * channels + first + c]! * weight.data[((channel * inGroup + c) * tall + i) * wide + j]!
      }
    return total
  })
}

const biasOf = (place: Place, dim: number, bias: boolean): Numbers | undefined => (bias ? place.weight('bias', dim) : undefined)

export const conv2d = (place: Place, { dim, kernelSize: k, stride = 1, padding = 0, groups = 1, bias = true }: Conv2dConfig<number, number, number, Padding>): Run =>
  onArray(x => convolved(x, place.weight('weight', dim, x.shape[2]! / groups, k, k), biasOf(place, dim, bias), two(stride), padding, groups))

/** Qiao et al., 2019, equations 7 and 8: each filter has zero mean and unit variance. */
export const stdConv2d = (place: Place, { dim, kernelSize: k, stride = 1, padding = 0, groups = 1, bias = false, epsilon = 1e-6 }: StdConv2dConfig<number, number, number, Padding>): Run =>
  onArray(x => {
    const weight = place.weight('weight', dim, x.shape[2]! / groups, k, k)
    const filters = partsOf(weight).map(filter => ({ ...filter, data: standardised(filter.data, epsilon) }))
    return convolved(x, stacked(filters), biasOf(place, dim, bias), two(stride), padding, groups)
  })

export const depthwiseConv2d = (place: Place, { kernelSize: k, stride = 1, padding = 0, groupSize = 1, bias = true }: DepthwiseConv2dConfig<number, number, Padding>): Run =>
  onArray(x => {
    const dim = x.shape[2]!
    return convolved(x, place.weight('weight', dim, groupSize, k, k), biasOf(place, dim, bias), two(stride), padding, dim / groupSize)
  })

/** Dosovitskiy et al., 2020, section 3.1, patch by patch: the pixels of a patch, projected. */
export const patchEmbed = (place: Place, { patchSize, dim, stride = patchSize, bias = true }: PatchEmbedConfig<number | Two, number, number | Two>): Run =>
  onArray(x => {
    const [[tall, wide], [down, across]] = [two(patchSize), two(stride)]
    const weight = place.weight('weight', dim, x.shape[2]!, tall, wide)
    const pixels = (row: number, column: number): Numbers => numbers([x.shape[2]!, tall, wide], (c, i, j) => at(x, row * down + i, column * across + j, c))
    const [rows, columns] = [(x.shape[0]! - tall) / down + 1, (x.shape[1]! - wide) / across + 1]
    const flat = (patch: Numbers): Numbers => ({ shape: [patch.data.length], data: patch.data })
    const row = (r: number): Numbers => stacked(Array.from({ length: columns }, (_, c) => project(flat(pixels(r, c)), weight, biasOf(place, dim, bias))))
    return stacked(Array.from({ length: rows }, (_, r) => row(r)))
  })

/** Every window of every channel, put through `f` as the elements that lie inside the map. */
export const pooled = (x: Numbers, size: number, stride: number, padding: Padding, f: (inside: readonly number[]) => number): Numbers => {
  const [rows, columns] = [along(x.shape[0]!, size, stride, padding), along(x.shape[1]!, size, stride, padding)]
  return numbers([rows.count, columns.count, x.shape[2]!], (row, column, channel) => {
    const inside: number[] = []
    for (let y = rows.begin + row * stride; y < rows.begin + row * stride + size; y++)
      for (let z = columns.begin + column * stride; z < columns.begin + column * stride + size; z++) if (y >= 0 && y < x.shape[0]! && z >= 0 && z < x.shape[1]!) inside.push(at(x, y, z, channel))
    return f(inside)
  })
}

/** The largest of a window's elements. */
export const largest = (inside: readonly number[]): number => inside.reduce((a, b) => (b > a ? b : a))

export const maxPool = (_: Place, { size, stride = size, padding = 0 }: PoolConfig<number, number, Padding>): Run => onArray(x => pooled(x, size, stride, padding, largest))

export const averagePool = (_: Place, { size, stride = size, padding = 0, countPadding = true }: AveragePoolConfig<number, number, Padding>): Run =>
  onArray(x => pooled(x, size, stride, padding, inside => (meanOf(inside) * inside.length) / (countPadding ? size * size : inside.length)))

/** Hu et al., 2017, section 3: a gate for each channel, from the means of all. */
export const excited = (x: Numbers, place: Place, hidden: number, activation: Activation): Numbers => {
  const dim = x.shape[2]!
  const means = numbers([dim], channel => meanOf(Array.from({ length: x.data.length / dim }, (_, i) => x.data[i * dim + channel]!)))
  const inside = project(means, place.weight('fc1.weight', hidden, dim, 1, 1), place.weight('fc1.bias', hidden))
  const gates = project({ ...inside, data: inside.data.map(activate[activation]) }, place.weight('fc2.weight', dim, hidden, 1, 1), place.weight('fc2.bias', dim))
  return { ...x, data: x.data.map((value, i) => value * logistic(gates.data[i % dim]!)) }
}

export const squeezeExcite = (place: Place, { ratio = 1 / 16, hiddenDim, activation = 'relu' }: SqueezeExciteConfig = {}): Run => onArray(x => excited(x, place, hiddenDim ?? Math.floor(x.shape[2]! * ratio), activation))

/** Liu et al., 2021, section 3.1; the neighbours below come before those beside, as in the published code. */
export const patchMerging = (place: Place, { dim, epsilon = 1e-5 }: PatchMergingConfig<number, boolean> = {}): Run =>
  onArray(x => {
    const [height, width, channels] = x.shape as readonly [number, number, number]
    const neighbours = [[0, 0], [1, 0], [0, 1], [1, 1]] as const
    const joined = numbers([Math.ceil(height / 2), Math.ceil(width / 2), 4 * channels], (row, column, channel) => {
      const [down, across] = neighbours[Math.floor(channel / channels) as 0 | 1 | 2 | 3]
      const [y, z] = [2 * row + down, 2 * column + across]
      return y < height && z < width ? at(x, y, z, channel % channels) : 0
    })
    return project(layerNormed(joined, place.at('norm'), epsilon), place.weight('reduction.weight', dim ?? 2 * channels, 4 * channels))
  })

const filters = {
  bilinear: () => (d: number) => Math.max(0, 1 - Math.abs(d)),
  /** Keys, 1981. */
  bicubic: (a: number) => (d: number) => {
    const z = Math.abs(d)
    return z <= 1 ? (a + 2) * z ** 3 - (a + 3) * z ** 2 + 1 : z < 2 ? a * (z ** 3 - 5 * z ** 2 + 8 * z - 4) : 0
  },
} as const

/** What each of `from` samples gives to sample `i` of `to`: PyTorch's `interpolate` with `align_corners=False`. */
const shares = (i: number, from: number, to: number, kind: ResizeKind, antialias: boolean): readonly number[] => {
  const share = Array<number>(from).fill(0)
  if (kind === 'nearest') return share.with(Math.trunc(i * (from / to) + 1e-9), 1)
  const reach = kind === 'bilinear' ? 1 : 2
  if (!antialias) {
    const centre = ((i + 0.5) * from) / to - 0.5
    const filter = filters[kind](-0.75)
    for (let j = Math.floor(centre) - reach; j <= Math.floor(centre) + reach + 1; j++) share[Math.min(from - 1, Math.max(0, j))]! += filter(j - centre)
    return share
  }
  // PIL's: the filter is as wide as the step, cut at the border, and its weights are brought to sum to 1.
  const step = Math.max(1, from / to)
  const centre = ((i + 0.5) * from) / to
  const filter = filters[kind](-0.5)
  for (let j = Math.max(0, Math.trunc(centre - reach * step + 0.5)); j < Math.min(from, Math.trunc(centre + reach * step + 0.5)); j++) share[j] = filter((j + 0.5 - centre) / step)
  const total = share.reduce((a, b) => a + b)
  return share.map(weight => weight / total)
}

/** A map at another size, row by row and then column by column. */
export const resized = (x: Numbers, rows: number, columns: number, kind: ResizeKind, antialias = false): Numbers => {
  const down = Array.from({ length: rows }, (_, i) => shares(i, x.shape[0]!, rows, kind, antialias))
  const across = Array.from({ length: columns }, (_, i) => shares(i, x.shape[1]!, columns, kind, antialias))
  const tall = numbers([rows, x.shape[1]!, x.shape[2]!], (row, column, c) => down[row]!.reduce((total, share, y) => total + share * at(x, y, column, c), 0))
  return numbers([rows, columns, x.shape[2]!], (row, column, c) => across[column]!.reduce((total, share, z) => total + share * at(tall, row, z, c), 0))
}

export const resize = (_: Place, size: number | Two, { kind = 'bilinear', antialias = false }: ResizeConfig = {}): Run => onArray(x => resized(x, ...two(size), kind, antialias))
