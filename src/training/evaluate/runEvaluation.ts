import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Session } from '../../backends/session.js'
import type { Problem } from '../../shape/problem.js'
import type { Batches } from '../data/batch.js'
import { Tally, type Evaluation } from './tally.js'

/** Options of {@link runEvaluation}. */
export interface EvaluationRun {
  readonly signal?: AbortSignal
  /** Told after each batch how many samples are done, of how many. */
  readonly onBatch?: (done: number, samples: number) => void
}

/** All samples once through a routine that gives `loss` and `logits`. Errors: those of the batches and of the session. */
export const runEvaluation = async <K extends string>(session: Session<K>, routine: K, samples: Batches, numClasses: number, { signal, onBatch }: EvaluationRun = {}): Promise<Either<Problem, Evaluation>> => {
  const tally = new Tally(numClasses)
  const options = signal === undefined ? {} : { signal }
  let done = 0
  for await (const batch of samples.epoch(0, options)) {
    if (batch._tag === 'Left') return batch
    const { images, labels, size } = batch.right
    const ran = await session.run(routine, { x: images, y: labels }, options)()
    if (ran._tag === 'Left') return ran
    tally.add(ran.right['logits'] as Float32Array, labels, (ran.right['loss'] as Float32Array)[0]!)
    done += size
    onBatch?.(done, samples.size)
  }
  return right(tally.result())
}
