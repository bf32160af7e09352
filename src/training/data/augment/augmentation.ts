import type { Random } from '../../random.js'
import type { Picture } from './pixels/picture.js'

/** What pictures are made for: what a model takes, and how. */
export interface Target {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** The mean of the data in bytes, one a channel: what stands where a moved picture leaves nothing. */
  readonly fill: readonly number[]
  /** How pictures are resized unless a step says otherwise. */
  readonly interpolation: 'bilinear' | 'bicubic'
}

/** A step by its name and options: all that a thread or a file needs to know of it. */
interface Step {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
}

/** Makes a picture of any size one of the size that the model takes. */
export interface Framing extends Step {
  readonly kind: 'framing'
  readonly apply: (picture: Picture, random: Random, target: Target) => Picture
}

/** Changes a picture of the size that the model takes, `[height, width, c] → [height, width, c]`. */
export interface Change extends Step {
  readonly kind: 'change'
  readonly apply: (picture: Picture, random: Random, target: Target) => Picture
}

/** Changes normalised values in place, `[height, width, c]`. */
export interface Erasing extends Step {
  readonly kind: 'erasing'
  readonly apply: (values: Float32Array, random: Random, target: Target) => void
}

/** How often a sample stands in an epoch. */
export interface Repeating extends Step {
  readonly kind: 'repeating'
  readonly times: number
}

/** A step of augmentation. All chance in it comes from the random stream that it is given, so that it depends on nothing else. */
export type Augmentation = Framing | Change | Erasing | Repeating

/** A step as a configuration writes it: its name, or its name and options; for two policies also timm's notation (`rand-m9-mstd0.5-inc1`). */
export type WrittenAugmentation = string | { readonly name: string; readonly config?: Readonly<Record<string, unknown>> }
