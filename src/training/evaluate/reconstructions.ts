import { right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import type { Weights } from '../../backends/loadOnce.js'
import { openSession } from '../../backends/openSession.js'
import type { Problem } from '../../shape/problem.js'
import { sizeOf } from '../../shape/shape.js'
import { batches } from '../data/batches.js'
import type { Image } from '../data/image.js'
import { chanceOf } from '../loop/chanceOf.js'
import { checkData } from '../loop/checkData.js'
import type { Aim } from '../objectives/objective.js'
import type { EvaluationData } from './evaluate.js'
import { toPixels } from './toPixels.js'

/** An image, what a model was shown of it, and what the model made of that. */
export interface Reconstruction {
  readonly name: string
  readonly image: Pixels
  readonly shown: Pixels
  readonly made: Pixels
}
type Pixels = Image & { readonly pixels: Uint8Array }

/** Options of {@link reconstructions}. */
export interface ReconstructionOptions {
  readonly backend: Backend
  readonly weights: Weights
  readonly seed?: number
  /** How many samples to show. */
  readonly examples: number
}

/**
 * The first samples as a model reconstructs them, whose objective makes pictures; nothing of one that does not. Errors:
 * those of `batches`, of the objective and of the backend; `notAnImageModel`.
 */
export const reconstructions = (aim: Aim, { samples, ...preparation }: EvaluationData, { backend, weights, seed = 0, examples }: ReconstructionOptions): TaskEither<Problem, readonly Reconstruction[]> => async () => {
  const { pictures, evaluate } = aim
  if (pictures === undefined) return right([])
  const shape = checkData(aim, samples)
  if (shape._tag === 'Left') return shape
  const source = batches(samples, { ...preparation, shape: shape.right, batchSize: examples, seed, shuffle: false })
  if (source._tag === 'Left') return source
  const session = await openSession({ show: { inputs: evaluate.inputs, outputs: { ...pictures } } }, { backend, weights })()
  if (session._tag === 'Left') return session
  const each = sizeOf(shape.right)
  const normalised = { mean: preparation.mean ?? [0], std: preparation.std ?? [1] }
  try {
    for await (const batch of source.right.epoch(0, { to: 1 })) {
      if (batch._tag === 'Left') return batch
      const { images, names } = batch.right
      const fed = await evaluate.feed(batch.right, chanceOf(seed, 'validation', 0))
      if (fed._tag === 'Left') return fed
      const ran: Either<Problem, Readonly<Record<string, unknown>>> = await session.right.run('show', fed.right, { seed })()
      if (ran._tag === 'Left') return ran
      const at = (values: unknown, i: number): Pixels => toPixels((values as Float32Array).subarray(i * each, (i + 1) * each), shape.right, normalised)
      return right(names.map((name, i) => ({ name, image: at(images, i), shown: at(ran.right['shown'], i), made: at(ran.right['made'], i) })))
    }
    return right([])
  } finally {
    session.right.dispose()
    await source.right.close()
  }
}
