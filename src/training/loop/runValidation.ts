import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Session } from '../../backends/session.js'
import type { Problem } from '../../shape/problem.js'
import type { Batches } from '../data/batch.js'
import type { Scores } from '../metrics/metric.js'
import type { Aim } from '../objectives/objective.js'
import { chanceOf } from './chanceOf.js'

/** How a model did on samples it does not learn from. */
export interface Validation extends Scores {
  readonly samples: number
}

/** Options of {@link runValidation}. */
export interface ValidationRun {
  readonly seed: number
  readonly signal?: AbortSignal
  /** Told after each batch how many samples are done, of how many. */
  readonly onBatch?: (done: number, samples: number) => void
}

/**
 * All samples once through the evaluation of an objective. What is drawn, such as the patches that are not seen, is the
 * same each time. Errors: those of the batches, of the objective and of the session.
 */
export const runValidation = async <K extends string>(session: Session<K>, routine: K, samples: Batches, { score, evaluate: { feed, hits } }: Pick<Aim, 'score' | 'evaluate'>, { seed, signal, onBatch }: ValidationRun): Promise<Either<Problem, Validation>> => {
  const options = signal === undefined ? {} : { signal }
  let [loss, found, done] = [0, 0, 0]
  for await (const batch of samples.epoch(0, options)) {
    if (batch._tag === 'Left') return batch
    const { size, step } = batch.right
    const fed = await feed(batch.right, chanceOf(seed, 'validation', step))
    if (fed._tag === 'Left') return fed
    const ran = await session.run(routine, fed.right, { ...options, seed, step })()
    if (ran._tag === 'Left') return ran
    loss += (ran.right['loss'] as Float32Array)[0]! * size
    found += hits?.(ran.right, fed.right, batch.right) ?? 0
    done += size
    onBatch?.(done, samples.size)
  }
  return right({ samples: done, loss: loss / done, ...(score === undefined ? {} : { [score]: found / done }) })
}
