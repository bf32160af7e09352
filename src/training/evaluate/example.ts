import type { Image } from '../data/image.js'

/** One sample and what a model makes of it. */
export interface Example {
  readonly name: string
  readonly label: number
  /** A probability for each class. */
  readonly probabilities: readonly number[]
  /** As the model got it, in bytes. */
  readonly image: Image & { readonly pixels: Uint8Array }
  /** How much each patch reaches the output, where the model's attention tells. */
  readonly attention?: { readonly rows: number; readonly columns: number; readonly weights: Float32Array }
}
