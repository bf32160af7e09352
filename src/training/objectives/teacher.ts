import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { PlanBytes } from '../../backends/planBytes.js'
import type { Problem } from '../../shape/problem.js'
import type { Shape } from '../../shape/shape.js'

/** One that another model learns from: a model that runs, or what one said once. */
export interface Teacher {
  /** What tells it from others, for checkpoints. */
  readonly about: string
  /** The image it takes; nothing where it looks at none. */
  readonly image?: Shape
  /** The shapes of what it gives. */
  readonly gives: { readonly logits: Shape; readonly tokens?: Shape }
  /** What it gives of each sample, one after the other. */
  readonly see: (seen: Seen) => TaskEither<Problem, Taught>
  /** What it holds on its device, at a batch size. */
  readonly bytes: (batchSize: number) => Either<Problem, PlanBytes>
  readonly close: () => void
}

/** Samples as the pupil sees them. */
export interface Seen {
  readonly images: Float32Array
  readonly names: readonly string[]
  /** How they were normalised. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** What a teacher says of some samples. */
export interface Taught {
  readonly logits: Float32Array
  readonly tokens?: Float32Array
}
