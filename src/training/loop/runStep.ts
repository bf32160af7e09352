import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Outputs } from '../../backends/session.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Batch } from '../data/batch.js'
import { rateName, stepName } from '../routines/trainingRoutines.js'
import { chanceOf } from './chanceOf.js'
import { explainNotFinite, type BatchRun } from './explainNotFinite.js'
import type { Training } from './prepareTraining.js'

/** What one update was like. */
export interface StepOutcome {
  /** The mean over its samples. */
  readonly loss: number
  readonly norm: number
  /** Samples that are right, as the objective counts them. */
  readonly hits: number
  readonly samples: number
  readonly rate: number
}

/**
 * One update on its batches. Random streams are keyed by the number of the batch, so that what is drawn does not depend
 * on where a training was begun again. Errors: `badRate` (a rate below 0, or beyond float32); `notFinite`, with
 * where it began; those of the session and of the objective.
 *
 * @param done updates made before
 */
export const runStep = async (training: Training, done: number, batches: readonly Batch[]): Promise<Either<Problem, StepOutcome>> => {
  const { session, routines, routines: { aim: { train } }, settings: { schedule, seed, accumulate }, options: { signal, formAt } } = training
  const rate = schedule.rate(done)
  if (!(rate >= 0 && Number.isFinite(Math.fround(rate)))) return left(problem('badRate', `train: the schedule gives the rate ${rate} at step ${done + 1}`, { path: 'schedule', remedy: 'a rate is a number from 0 that float32 can hold' }))
  const hyperparameters = new Map([[rateName, Float32Array.of(rate)], [stepName, Float32Array.of(done + 1)]])
  const written = await session.write(new Map([...hyperparameters].filter(([name]) => routines.variables.includes(name))))()
  if (written._tag === 'Left') return written
  const form = formAt === undefined ? undefined : await training.forms.of(formAt(done))
  if (form?._tag === 'Left') return form
  let [loss, hits, samples] = [0, 0, 0]
  let norm = 0
  const run = async (now: BatchRun, suspects: readonly BatchRun[]): Promise<Either<Problem, Outputs>> => {
    // Once an update has begun to gather, it is gone through with: half of one is in no checkpoint.
    const ran = await session.run(now.routine, now.input, { ...now.random, ...(now.form === undefined ? {} : { variant: now.form.variant }), ...(signal === undefined || accumulate > 1 ? {} : { signal }) })()
    return ran._tag === 'Left' && ran.left.code === 'notFinite' ? left(await explainNotFinite(training, suspects, done + 1)) : ran
  }
  const runs: BatchRun[] = []
  for (const [part, batch] of batches.entries()) {
    const step = done * accumulate + part
    const fed = await train.feed(batch, chanceOf(seed, 'train', step))
    if (fed._tag === 'Left') return fed
    const now: BatchRun = { routine: accumulate === 1 ? 'train' : part === 0 ? 'begin' : 'add', input: fed.right, random: { seed, step }, ...(form === undefined ? {} : { form: form.right }), names: batch.names }
    runs.push(now)
    const ran = await run(now, [now])
    if (ran._tag === 'Left') return ran
    loss += (ran.right['loss'] as Float32Array)[0]! * batch.size
    hits += train.hits?.(ran.right, fed.right, batch) ?? 0
    samples += batch.size
    if (accumulate === 1) norm = (ran.right['norm'] as Float32Array)[0]!
  }
  if (accumulate > 1) {
    const update: BatchRun = { routine: 'update', input: {}, random: { seed, step: done * accumulate }, names: [] }
    // What is not finite here came about in the gradients of one of the batches.
    const ran = await run(update, [...runs, update])
    if (ran._tag === 'Left') return ran
    norm = (ran.right['norm'] as Float32Array)[0]!
  }
  return right({ loss: loss / samples, norm, hits, samples, rate })
}
