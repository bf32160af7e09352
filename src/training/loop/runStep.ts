import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Outputs } from '../../backends/session.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Batch } from '../data/batch.js'
import { largest } from '../evaluate/tally.js'
import { rateName, stepName } from '../routines/trainingRoutines.js'
import { explainNotFinite, type BatchRun } from './explainNotFinite.js'
import type { Training } from './prepareTraining.js'

/** What one update was like. */
export interface StepOutcome {
  /** The mean over its samples. */
  readonly loss: number
  readonly norm: number
  readonly correct: number
  readonly samples: number
  readonly rate: number
}

/**
 * One update on its batches. Random streams are keyed by the number of the batch, so that what is drawn does not depend
 * on where a training was begun again. Errors: `badRate` (a rate below 0, or beyond float32); `notFinite`, with
 * where it began; those of the session.
 *
 * @param done updates made before
 */
export const runStep = async (training: Training, done: number, batches: readonly Batch[]): Promise<Either<Problem, StepOutcome>> => {
  const { session, routines, settings: { schedule, seed, accumulate }, options: { signal } } = training
  const rate = schedule.rate(done)
  if (!(rate >= 0 && Number.isFinite(Math.fround(rate)))) return left(problem('badRate', `train: the schedule gives the rate ${rate} at step ${done + 1}`, { path: 'schedule', remedy: 'a rate is a number from 0 that float32 can hold' }))
  const hyperparameters = new Map([[rateName, Float32Array.of(rate)], [stepName, Float32Array.of(done + 1)]])
  const written = await session.write(new Map([...hyperparameters].filter(([name]) => routines.variables.includes(name))))()
  if (written._tag === 'Left') return written
  let [loss, correct, samples] = [0, 0, 0]
  let norm = 0
  const run = async (now: BatchRun, suspects: readonly BatchRun[]): Promise<Either<Problem, Outputs>> => {
    // Once an update has begun to gather, it is gone through with: half of one is in no checkpoint.
    const ran = await session.run(now.routine, now.input, { ...now.random, ...(signal === undefined || accumulate > 1 ? {} : { signal }) })()
    return ran._tag === 'Left' && ran.left.code === 'notFinite' ? left(await explainNotFinite(training, suspects, done + 1)) : ran
  }
  const runs = batches.map(({ images, labels, names }, part): BatchRun => ({ routine: accumulate === 1 ? 'train' : part === 0 ? 'begin' : 'add', input: { x: images, y: labels }, random: { seed, step: done * accumulate + part }, names }))
  for (const [part, { labels, size }] of batches.entries()) {
    const ran = await run(runs[part]!, [runs[part]!])
    if (ran._tag === 'Left') return ran
    const logits = ran.right['logits'] as Float32Array
    const classes = logits.length / size
    loss += (ran.right['loss'] as Float32Array)[0]! * size
    correct += labels.reduce((sum, label, i) => sum + Number(largest(logits.subarray(i * classes, (i + 1) * classes)) === label), 0)
    samples += size
    if (accumulate === 1) norm = (ran.right['norm'] as Float32Array)[0]!
  }
  if (accumulate > 1) {
    const update: BatchRun = { routine: 'update', input: {}, random: { seed, step: done * accumulate }, names: [] }
    // What is not finite here came about in the gradients of one of the batches.
    const ran = await run(update, [...runs, update])
    if (ran._tag === 'Left') return ran
    norm = (ran.right['norm'] as Float32Array)[0]!
  }
  return right({ loss: loss / samples, norm, correct, samples, rate })
}
