import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import { openSession } from '../../backends/openSession.js'
import type { Session } from '../../backends/session.js'
import type { AnyModel } from '../../layers/core/model.js'
import { problem, showProblem, type Problem } from '../../shape/problem.js'
import { sizeOf } from '../../shape/shape.js'
import type { Batches } from '../data/batch.js'
import { batches } from '../data/batches.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'
import { checkpoints, files, type Found } from '../checkpoint/checkpoints.js'
import { noProgress, type Progress } from '../checkpoint/progress.js'
import type { Loss } from '../losses/lossOf.js'
import type { Aim, Objective } from '../objectives/objective.js'
import { trainingRoutines, type RoutineName, type TrainingRoutines } from '../routines/trainingRoutines.js'
import { changesSince } from './changesSince.js'
import { checkData } from './checkData.js'
import { initialState, type Values } from './initialState.js'
import { plainConfig } from './plainConfig.js'
import { sameClasses } from './sameClasses.js'
import { StepForms } from './stepForms.js'
import { checkSettings, objectiveIn, settled, type Settled } from './settled.js'
import type { TrainingData } from './trainingData.js'
import type { TrainingPlan } from './trainingEvent.js'
import type { TrainOptions } from './trainOptions.js'

/** A training made ready: checked, planned, its weights on the device. */
export interface Training {
  readonly plan: TrainingPlan
  readonly settings: Settled
  readonly options: TrainOptions
  readonly routines: TrainingRoutines
  readonly session: Session<RoutineName>
  /** Forms that steps train, where each has its own. */
  readonly forms: StepForms
  readonly train: Batches
  readonly validation: Batches | undefined
  /** Values of what does not change. */
  readonly fixed: Values
  readonly progress: Progress
  readonly config: Readonly<Record<string, unknown>>
  /** What went wrong and was got over. */
  readonly warnings: readonly string[]
  /** A checkpoint that cannot be used. */
  readonly damaged: Found['damaged']
  readonly dispose: () => Promise<void>
}

/**
 * Makes a training ready: checks everything that can be checked before the first step, and says what it will hold.
 * Nothing is written, so that it can be asked for the plan alone.
 *
 * Errors: as `train`, but for those on the way.
 *
 * @example
 * const training = await prepareTraining(pipe(input(1, 1, 1), globalPool(), linear(2)), { train: { name: 'one', classes: ['dark', 'light'], size: 1, labels: Int32Array.of(1), item: () => async () => right({ label: 1, name: 'a', image: { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(255) } }) }, workers: 0 }, { backend: wasm, steps: 2, batchSize: 1, optimiser: optimisers.adamw(), schedule: schedules.constant({ rate: 0.001 }) })() // Either<Problem, Training>
 */
export const prepareTraining = (model: AnyModel, data: TrainingData, options: TrainOptions): TaskEither<Problem, Training> => async () => {
  const parts = checkSettings(options)
  if (parts._tag === 'Left') return parts
  const objective = objectiveIn(options)
  if (objective._tag === 'Left') return objective
  const { form, batchSize } = options
  const { train: learned, validation: shown, mean = [0], std = [1] } = data
  if (options.formAt !== undefined && (options.accumulate ?? 1) > 1) return left(problem('badOption', 'train: formAt and accumulate do not go together: what several forms gathered would be no gradient of any', { path: 'accumulate' }))
  let isAsked = false
  const loss: Loss = (outputs, targets) => {
    isAsked = true
    return parts.right.loss(outputs, targets)
  }
  const routinesOf = (trained: AnyModel | undefined) => trainingRoutines(model, { ...parts.right, loss, ...(objective.right === undefined ? {} : { objective: objective.right }) }, { ...(trained === undefined ? {} : { form: trained }), batchSize, train: learned, validation: typeof shown === 'object' ? shown : learned, mean, std })
  const routines = routinesOf(form)
  if (routines._tag === 'Left') return routines
  // An objective with a loss of its own must not look as if it heeded another.
  if (options.loss !== undefined && !isAsked) return left(problem('badOption', `train: loss would change nothing, for the objective '${objective.right?.name}' has a loss of its own`, { path: 'loss', remedy: 'leave it out' }))
  const sources = batchesOf(data, options, routines.right.aim)
  if (sources._tag === 'Left') return sources
  const { train, validation } = sources.right
  const close = async (): Promise<void> => {
    await Promise.all([train.close(), validation?.close()])
  }
  const settings = settled(options, train.steps, routines.right.aim.score)
  if (settings._tag === 'Left') return settings
  const config = plainConfig(options, data, routines.right, objective.right, settings.right.watch)
  const found = await startIn(options, config)
  if (found._tag === 'Left') return found
  const checkpoint = found.right?.checkpoint
  const values = await initialState(routines.right, settings.right.seed, options.weights, checkpoint)
  if (values._tag === 'Left') return values
  const opened = await openSession(routines.right.routines as Readonly<Record<RoutineName, NonNullable<TrainingRoutines['routines'][RoutineName]>>>, { backend: options.backend, weights: values.right, variables: routines.right.variables })()
  if (opened._tag === 'Left') {
    await close()
    return opened
  }
  const session = opened.right
  const forms = new StepForms(session, routinesOf)
  const dispose = async (): Promise<void> => {
    forms.dispose()
    session.dispose()
    await close()
  }
  const plan = planOf(session, routines.right, settings.right, options.backend, train, validation, found.right, objective.right)
  if (plan._tag === 'Left') {
    await dispose()
    return plan
  }
  return right({
    plan: plan.right,
    settings: settings.right,
    options,
    routines: routines.right,
    session,
    forms,
    train,
    validation,
    fixed: fixedOf(routines.right, values.right),
    progress: checkpoint?.progress ?? noProgress,
    config,
    warnings: warningsOf(options, found.right),
    damaged: found.right?.damaged,
    dispose,
  })
}

const warningsOf = ({ folder, resume = false }: TrainOptions, found: Found | undefined): readonly string[] => {
  if (found?.damaged !== undefined) return [showProblem({ ...found.damaged.problem, remedy: `going on from ${found.file}` })]
  return resume && found === undefined ? [`${folder}: holds no checkpoint yet; beginning at the beginning`] : []
}

/** On its own, so that nothing else of the values is held for as long as the training lasts. */
const fixedOf = ({ parameters, changed }: TrainingRoutines, values: Values): Values => new Map(parameters.flatMap(({ attributes: { name } }) => (changed.has(name) ? [] : [[name, values.get(name)!] as const])))

const batchesOf = ({ train: source, validation: other, ...preparation }: TrainingData, { batchSize, seed = 0, augment = [] }: TrainOptions, aim: Aim): Either<Problem, { readonly train: Batches; readonly validation: Batches | undefined }> => {
  const shape = checkData(aim, source)
  if (shape._tag === 'Left') return shape
  const common = { ...preparation, batchSize, seed, shape: shape.right }
  const whole = aim.isWhole === true ? { dropLast: true } : {}
  const train = batches(source, { ...common, augment, dropLast: true, ...(typeof other === 'number' ? { split: { validation: other, part: 'train' as const } } : {}) })
  if (train._tag === 'Left' || other === undefined) return train._tag === 'Left' ? train : right({ train: train.right, validation: undefined })
  // What is only looked at is looked at as it is, in the same order each time.
  const { transform: _, ...plain } = common
  const fits = typeof other === 'number' ? shape : checkData(aim, other)
  if (fits._tag === 'Left') return fits
  const same = typeof other === 'number' || aim.numClasses === undefined ? right(undefined) : sameClasses(source, other)
  if (same._tag === 'Left') return same
  const validation = typeof other === 'number' ? batches(source, { ...plain, ...whole, split: { validation: other, part: 'validation' } }) : batches(other, { ...plain, ...whole, shuffle: false })
  return validation._tag === 'Left' ? validation : right({ train: train.right, validation: validation.right })
}

/** What to go on from; nothing is written. Errors: `folderNeeded`, `folderTaken`, `fileUnreadable`, `configChanged`; those of `latest`. */
const startIn = async ({ folder, resume = false }: TrainOptions, config: Readonly<Record<string, unknown>>): Promise<Either<Problem, Found | undefined>> => {
  if (folder === undefined) return resume ? left(problem('folderNeeded', 'train: to go on from a checkpoint, it must know the folder')) : right(undefined)
  const { readdir } = await import('node:fs/promises')
  const there: readonly string[] | string = await readdir(folder).catch((cause: unknown) => (codeOf(cause) === 'ENOENT' ? [] : reasonOf(cause)))
  if (typeof there === 'string') return left(problem('fileUnreadable', `${folder}: cannot be read: ${there}`))
  const taken = [files.last, files.previous].find(name => there.includes(name))
  // A training that was killed before its first checkpoint goes on from its beginning.
  if (taken === undefined) return right(undefined)
  if (!resume) return left(problem('folderTaken', `${folder}: already holds a training (${taken})`, { remedy: 'resume it, or name another folder' }))
  const found = await checkpoints.latest(folder)()
  if (found._tag === 'Left') return found
  const changes = changesSince(found.right.checkpoint.config, config)
  return changes.length === 0 ? found : left(problem('configChanged', `train: this is not how the training in ${folder} began: ${changes.join('; ')}`, { remedy: 'put it back, or begin anew in another folder with the checkpoint as weights' }))
}

/** The sizes of what is to come. Errors: `missingKernels`. */
const planOf = (session: Session<RoutineName>, { parameters, routines }: TrainingRoutines, { steps, stepsPerEpoch, batchSize }: Settled, backend: Backend, train: Batches, validation: Batches | undefined, found: Found | undefined, objective: Objective | undefined): Either<Problem, TrainingPlan> => {
  let bytes = { parameters: 0, peak: 0 }
  for (const name of Object.keys(routines) as RoutineName[]) {
    if (validation === undefined && name.startsWith('evaluate')) continue
    const held = session.bytes(name, name === 'update' ? 1 : batchSize)
    if (held._tag === 'Left') return held
    bytes = { parameters: Math.max(bytes.parameters, held.right.parameters), peak: Math.max(bytes.peak, held.right.peak) }
  }
  const beside = objective?.bytes?.(batchSize) ?? right({ parameters: 0, peak: 0 })
  if (beside._tag === 'Left') return beside
  const numbers = (role: string): number => parameters.filter(p => p.attributes.role === role).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  return right({
    backend: backend.name,
    parameters: numbers('trained') + numbers('frozen'),
    trained: numbers('trained'),
    samples: train.size,
    validationSamples: validation?.size ?? 0,
    classes: train.classes,
    epochs: Math.ceil(steps / stepsPerEpoch),
    steps,
    stepsPerEpoch,
    from: found?.checkpoint.progress.step ?? 0,
    ...(found === undefined ? {} : { checkpoint: found.file }),
    bytes: { parameters: bytes.parameters + beside.right.parameters, peak: bytes.peak + beside.right.peak },
  })
}
