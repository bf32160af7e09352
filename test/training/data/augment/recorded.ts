import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Target } from '../../../../src/training/data/augment/augmentation.js'
import type { Picture } from '../../../../src/training/data/augment/pixels/picture.js'
import type { Random } from '../../../../src/training/random.js'

interface Written {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** Hexadecimal. */
  readonly pixels: string
}

type Moments = readonly [mean: number, deviation: number]

/** What timm's and torchvision's policies hold, do and draw: `test/fixtures/augment/policies.py`. */
export interface Recorded {
  readonly fill: readonly number[]
  readonly picture: Written
  readonly large: Written
  readonly operations: readonly { readonly name: string; readonly magnitude: number; readonly positive: boolean; readonly interpolation: 'bilinear' | 'bicubic'; readonly digest: string }[]
  readonly policies: Readonly<Record<string, unknown>>
  readonly notations: readonly { readonly text: string; readonly operations: readonly string[]; readonly weights: readonly number[] | null; readonly count: number; readonly probability: number; readonly magnitude: number; readonly std: number | null; readonly most: number }[]
  readonly trivial: readonly { readonly index: number; readonly strength: number; readonly positive: boolean; readonly digest: string }[]
  readonly draws: number
  readonly crops: readonly { readonly height: number; readonly width: number; readonly area: Moments; readonly logRatio: Moments; readonly top: Moments; readonly left: Moments }[]
  readonly erasings: readonly { readonly options: Readonly<Record<string, number>>; readonly share: Moments; readonly top: Moments; readonly left: Moments; readonly rows: Moments; readonly columns: Moments }[]
}

export const recorded = JSON.parse(readFileSync(new URL('../../../fixtures/augment/policies.json', import.meta.url), 'utf8')) as Recorded

export const read = ({ pixels, ...size }: Written): Picture => ({ ...size, pixels: new Uint8Array(Buffer.from(pixels, 'hex')) })

export const digest = ({ pixels }: Picture): string => createHash('sha256').update(pixels).digest('hex').slice(0, 16)

/** A target of that size, filled as the recordings are. */
export const targetOf = (height: number, width: number, channels = 3, interpolation: 'bilinear' | 'bicubic' = 'bicubic'): Target => ({ height, width, channels, fill: recorded.fill.slice(0, channels), interpolation })

/** A stream that always draws the same. */
export const fixed = (uniform: number, below: (count: number) => number = () => 0): Random => ({ uniform: () => uniform, normal: () => 0, below, permutation: count => Uint32Array.from({ length: count }, (_, i) => i) })

export const moments = (values: readonly number[]): Moments => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)]
}

/** The farthest apart that the shares of two samples below any value are: of values, and of what is even from 0 to 1. */
export const kolmogorov = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.reduce((most, value, i) => Math.max(most, Math.abs(value - i / sorted.length), Math.abs((i + 1) / sorted.length - value)), 0)
}
