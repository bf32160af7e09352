import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { augmentationsOf } from '../data/augment/augmentationsOf.js'
import { lossOf, type Loss } from '../losses/lossOf.js'
import type { Scores } from '../metrics/metric.js'
import type { Objective, ScoreName } from '../objectives/objective.js'
import { objectiveOf, readObjective } from '../objectives/objectiveOf.js'
import type { Optimiser } from '../optimisers/optimiser.js'
import { optimiserOf } from '../optimisers/optimiserOf.js'
import type { StepParts } from '../routines/stepParts.js'
import type { Schedule } from '../schedules/schedule.js'
import { scheduleOf } from '../schedules/scheduleOf.js'
import { warmup } from '../schedules/warmup.js'
import type { Named, TrainSettings } from './trainOptions.js'

/** Settings with nothing left open. */
export interface Settled {
  readonly parts: StepParts
  readonly schedule: Schedule
  readonly batchSize: number
  readonly accumulate: number
  readonly seed: number
  /** Updates in all, and in an epoch. */
  readonly steps: number
  readonly stepsPerEpoch: number
  readonly validateEvery: number
  readonly checkpointEvery: number
  readonly patience: number
  readonly watch: keyof Scores
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1
const isPositive = (value: number): boolean => value > 0 && Number.isFinite(value)
const isShare = (value: number): boolean => value > 0 && value < 1
const count = [isCount, 'a whole number from 1'] as const
const positive = [isPositive, 'a number above 0'] as const

const rules: { readonly [K in keyof TrainSettings]?: readonly [(value: never) => boolean, string] } = {
  epochs: count,
  steps: count,
  batchSize: count,
  accumulate: count,
  validateEvery: count,
  checkpointEvery: count,
  patience: count,
  clipNorm: positive,
  clipValue: positive,
  average: [isShare, 'a number between 0 and 1, such as 0.999'],
  layerDecay: [(value: number) => isPositive(value) && value <= 1, 'a number above 0, at most 1'],
  seed: [(value: number) => Number.isSafeInteger(value) && value >= 0, 'a whole number from 0'],
  watch: [(value: string) => ['accuracy', 'loss', 'retrieval'].includes(value), "'accuracy', 'loss' or 'retrieval'"],
}

/** Whether something was made in code: what JSON holds has no functions. */
const isMade = (value: unknown, rule: string): boolean => typeof value === 'object' && value !== null && typeof (value as Readonly<Record<string, unknown>>)[rule] === 'function'

/** What was made in code, its options judged as those of a configuration are. Of names of a person's own nothing is known. */
const judged = <T>(made: T, read: (given: unknown) => Either<Problem, T>): Either<Problem, T> => {
  const again = read(made)
  return again._tag === 'Left' && again.left.code !== 'unknownName' ? again : right(made)
}

/**
 * Whether settings are possible, as far as they can be judged without model and data. Errors: `badOption`,
 * `missingOption`; those of `optimiserOf` and `lossOf`.
 */
export const checkSettings = (settings: TrainSettings): Either<Problem, StepParts> => {
  for (const [name, [accepts, says]] of Object.entries(rules) as [keyof TrainSettings, readonly [(value: never) => boolean, string]][]) {
    const value = settings[name]
    if (value !== undefined && !accepts(value as never)) return left(problem('badOption', `train: ${name} must be ${says}, got ${JSON.stringify(value)}`, { path: name }))
  }
  const missing = (['batchSize', 'optimiser', 'schedule'] as const).find(name => settings[name] === undefined)
  if (missing !== undefined) return left(problem('missingOption', `train: needs '${missing}'`, { path: missing }))
  if ((settings.epochs === undefined) === (settings.steps === undefined)) return left(problem(settings.epochs === undefined ? 'missingOption' : 'badOption', `train: needs 'epochs' or 'steps', ${settings.epochs === undefined ? 'but has neither' : 'not both'}`, { path: 'epochs' }))
  const loss = typeof settings.loss === 'function' ? right<Problem, Loss>(settings.loss) : lossOf(settings.loss ?? { name: 'crossEntropy' })
  if (loss._tag === 'Left') return loss
  const optimiser = isMade(settings.optimiser, 'update') ? judged(settings.optimiser as Optimiser, optimiserOf) : optimiserOf(settings.optimiser)
  if (optimiser._tag === 'Left') return optimiser
  const objective = settings.objective === undefined || isMade(settings.objective, 'aim') ? undefined : readObjective(settings.objective)
  if (objective?._tag === 'Left') return objective
  const steps = augmentationsOf(settings.augment ?? [])
  if (steps._tag === 'Left') return steps
  const { clipNorm, clipValue, average, accumulate, layerDecay } = settings
  return right({
    loss: loss.right,
    optimiser: optimiser.right,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(clipValue === undefined ? {} : { clipValue }),
    ...(average === undefined ? {} : { average }),
    ...(accumulate === undefined ? {} : { accumulate }),
    ...(layerDecay === undefined ? {} : { layerDecay }),
  })
}

/** What settings say is learned; nothing where they do not say. Errors: those of `objectiveOf`. */
export const objectiveIn = ({ objective }: Pick<TrainSettings, 'objective'>): Either<Problem, Objective | undefined> => (objective === undefined ? right(undefined) : isMade(objective, 'aim') ? right(objective as Objective) : objectiveOf(objective))

/**
 * Settings made definite by how many batches an epoch has, and what the objective counts. Errors: those of
 * {@link checkSettings} and `scheduleOf`; `tooFewBatches` (fewer than make one update), `badOption`.
 */
export const settled = (settings: TrainSettings, batchesPerEpoch: number, score?: ScoreName): Either<Problem, Settled> => {
  const parts = checkSettings(settings)
  if (parts._tag === 'Left') return parts
  const { accumulate = 1, seed = 0, batchSize, watch = score ?? 'loss', patience = Infinity } = settings
  if (watch !== 'loss' && watch !== score) return left(problem('badOption', `train: watch cannot be '${watch}', which this objective does not count`, { path: 'watch', remedy: score === undefined ? "'loss'" : `'loss' or '${score}'` }))
  const stepsPerEpoch = Math.floor(batchesPerEpoch / accumulate)
  if (stepsPerEpoch === 0) return left(problem('tooFewBatches', `train: an update gathers ${accumulate} batches, but an epoch has ${batchesPerEpoch}`, { remedy: 'make batchSize or accumulate smaller' }))
  const steps = settings.steps ?? settings.epochs! * stepsPerEpoch
  const schedule = scheduleFor(settings, steps, stepsPerEpoch)
  if (schedule._tag === 'Left') return schedule
  return right({ parts: parts.right, schedule: schedule.right, batchSize, accumulate, seed, steps, stepsPerEpoch, validateEvery: settings.validateEvery ?? stepsPerEpoch, checkpointEvery: settings.checkpointEvery ?? Infinity, patience, watch })
}

const scheduleFor = ({ schedule, warmup: rise }: TrainSettings, steps: number, stepsPerEpoch: number): Either<Problem, Schedule> => {
  const made = isMade(schedule, 'rate') ? judged(schedule as Schedule, scheduleOf) : scheduleOf(withSteps(schedule, Math.max(1, steps - (rise?.prefix === true ? riseSteps(rise, stepsPerEpoch) : 0))))
  if (made._tag === 'Left' || rise === undefined) return made
  if (rise.steps !== undefined && rise.epochs !== undefined) return left(problem('badOption', "train: warmup needs 'steps' or 'epochs', not both", { path: 'warmup' }))
  const length = riseSteps(rise, stepsPerEpoch)
  if (!isPositive(length)) return left(problem('badOption', "train: warmup needs 'steps' or 'epochs', a number above 0", { path: 'warmup' }))
  if (rise.from !== undefined && !(rise.from >= 0 && Number.isFinite(rise.from))) return left(problem('badOption', `train: warmup.from must be a number from 0, got ${JSON.stringify(rise.from)}`, { path: 'warmup.from' }))
  return right(warmup({ steps: length, ...(rise.from === undefined ? {} : { from: rise.from }), ...(rise.prefix === undefined ? {} : { prefix: rise.prefix }) }, made.right))
}

const riseSteps = ({ steps, epochs = 0 }: NonNullable<TrainSettings['warmup']>, stepsPerEpoch: number): number => steps ?? (epochs > 0 ? Math.max(1, Math.round(epochs * stepsPerEpoch)) : 0)

/** Schedules that come down to an end. */
const falling = ['cosine', 'polynomial']

const withSteps = (given: unknown, steps: number): unknown => {
  const { name, config } = (given ?? {}) as Partial<Named>
  if (name === undefined || !falling.includes(name) || typeof (config ?? {}) !== 'object' || config?.['steps'] !== undefined) return given
  return { name, config: { ...config, steps } }
}
