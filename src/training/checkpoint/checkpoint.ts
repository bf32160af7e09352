import type { Progress } from './progress.js'

/** One tensor of a checkpoint. */
export interface KeptTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/**
 * All of a training at one step. In the file the weights have their published names, so that whatever reads weights
 * reads them; the rest has names that begin with `@`, which no layer can have.
 */
export interface Checkpoint {
  readonly weights: readonly KeptTensor[]
  /** Optimiser state, averages of weights, gathered gradients: `@optimiser/m/head.weight`. */
  readonly state: readonly KeptTensor[]
  readonly progress: Progress
  /** What the training was told, as plain data. */
  readonly config: Readonly<Record<string, unknown>>
  /** What a reader of weights wants to know: `recipe`, `config`, `labels`, `mean`, `std`. */
  readonly about: Readonly<Record<string, string>>
}

/** The version of the format. A file of a later one is refused. */
export const checkpointVersion = 1
