import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Preprocessing } from '../../../../recipes/index.js'
import type { Weights } from '../../../backends/loadOnce.js'
import { freeze } from '../../../graph/tree/freeze.js'
import type { AnyModel } from '../../../layers/core/model.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { TrainingConfig } from '../../../training/config/defineTraining.js'
import type { Skipped } from '../../../training/data/image.js'
import type { TrainingData } from '../../../training/loop/trainingData.js'
import type { Objective } from '../../../training/objectives/objective.js'
import { loadPartialWeights, type PartialWeights } from '../../../weights/loadPartialWeights.js'
import { openSafetensors } from '../../../weights/openSafetensors.js'
import { showTransfer } from '../../../weights/showTransfer.js'
import { checkpoint } from '../checkpoint.js'
import { preprocessingOf } from '../preprocessingOf.js'
import type { Subject } from '../subject.js'
import { openData } from './openData.js'
import { openObjective } from './openObjective.js'
import { otherClasses } from './otherClasses.js'
import { subjectOf } from './subjectOf.js'

/** What a configuration means: a model, data, and weights to begin with. */
export interface Configured {
  /** What the model is called. */
  readonly id: string
  readonly model: AnyModel
  readonly data: TrainingData
  /** What is learned, where the configuration says. */
  readonly objective?: Objective
  /** The form of the model that the objective trains. */
  readonly form?: AnyModel
  readonly weights?: Weights
  /** What weight files say of the model. */
  readonly about: Readonly<Record<string, string>>
  /** What a person may want to know: files passed over, weights that did not fit. */
  readonly remarks: readonly string[]
  readonly close: () => Promise<void>
}

/**
 * Opens what a configuration speaks of. Paths in it begin at `folder`. Errors: those of `subjects.one`, `freeze`,
 * `openData`, `openObjective` and of reading weights; `fileUnreadable`.
 *
 * @param goesOn whether there is a checkpoint to go on from: the weights to begin with may be gone by then
 */
export const configured = (config: TrainingConfig, folder: string, goesOn = false): TaskEither<Problem, Configured> => async () => {
  const subject = await subjectOf(config.model, folder)
  if (subject._tag === 'Left') return subject
  const { objective: wanted } = config
  // What learns something else stands in for the model; another form of it is only trained.
  const pretext = wanted === undefined ? undefined : subject.right.pretexts?.[wanted.name]?.(wanted.config ?? {})
  const [used, trained] = [pretext ?? subject.right.model, wanted === undefined ? undefined : subject.right.forms?.[wanted.name]?.()].map(each => frozenIn(each, config.freeze)) as [Either<Problem, AnyModel>, Either<Problem, AnyModel | undefined>]
  if (used._tag === 'Left') return used
  if (trained._tag === 'Left') return trained
  const [model, form] = [used.right, trained.right]
  const data = await dataOf(config, folder, subject.right)
  if (data._tag === 'Left') return data
  const weights = goesOn ? right(undefined) : await weightsOf(config, folder, form ?? model, data.right.data.train.classes)
  if (weights._tag === 'Left') return weights
  const objective = await openObjective(wanted, folder, data.right.data.train.classes)()
  if (objective._tag === 'Left') {
    await weights.right?.close()
    return objective
  }
  const description = pretext === undefined ? subject.right.description : undefined
  const { mean, std } = data.right.data
  return right({
    id: subject.right.id,
    model,
    data: data.right.data,
    ...(weights.right === undefined ? {} : { weights: weights.right.weights }),
    ...(form === undefined ? {} : { form }),
    ...(objective.right.objective === undefined ? {} : { objective: objective.right.objective }),
    about: {
      ...(description === undefined ? {} : { recipe: description.recipe, config: JSON.stringify(description.config) }),
      ...(config.data.kind === 'captions' ? {} : { labels: JSON.stringify(data.right.data.train.classes) }),
      mean: mean!.join(', '),
      std: std!.join(', '),
      // By it `eval` finds what was kept for validation, of data that are parted by chance.
      seed: `${config.seed ?? 0}`,
    },
    remarks: [...(pretext !== undefined ? [pretextual(subject.right.id, wanted!.name)] : description === undefined ? [nameless(subject.right.id)] : []), ...data.right.skipped.map(({ name, reason }) => `${name}: left out: ${reason}`), ...(weights.right?.remarks ?? []), ...objective.right.remarks],
    close: async () => {
      objective.right.close()
      await weights.right?.close()
    },
  })
}

const frozenIn = (model: AnyModel | undefined, patterns: readonly string[] | undefined): Either<Problem, AnyModel | undefined> => (model === undefined || patterns === undefined ? right(model) : (freeze(model as never, patterns) as Either<Problem, AnyModel>))

const pretextual = (id: string, objective: string): string => `${id}: is trained in the form of ${objective}, with another head; to use its weights, fine-tune ${id} from them: weights: { file, partial: true }`

const nameless = (id: string): string => `${id}: is no recipe with options, so its weight files will not say which model they are for; to use them, export it from a file and name that: vitrail run FILE --weights WEIGHTS`

const dataOf = async ({ data }: TrainingConfig, folder: string, { model, preprocessing }: Subject): Promise<Either<Problem, { readonly data: TrainingData; readonly skipped: readonly Skipped[] }>> => {
  const { validation } = data
  const train = await openData(data, folder)()
  if (train._tag === 'Left') return train
  const other = typeof validation === 'object' ? await openData(validation, folder, train.right.classes)() : undefined
  if (other?._tag === 'Left') return other
  const usual = preprocessingOf(preprocessing, {})
  return right({
    data: {
      train: train.right,
      ...(validation === undefined ? {} : { validation: other?.right ?? (validation as number) }),
      ...fitted(usual, model, data),
      crop: data.crop ?? usual.crop,
      ...(data.interpolation === undefined ? {} : { interpolation: data.interpolation }),
      ...(data.workers === undefined ? {} : { workers: data.workers }),
      ...(data.prefetch === undefined ? {} : { prefetch: data.prefetch }),
    },
    skipped: [...(train.right.skipped ?? []), ...(other?.right.skipped ?? [])],
  })
}

/** Mean and deviation for as many channels as the model takes: of three, the first stands for grey. */
export const fitted = (usual: Preprocessing, model: AnyModel, { mean = usual.mean, std = usual.std }: { readonly mean?: readonly number[]; readonly std?: readonly number[] }): { readonly mean: readonly number[]; readonly std: readonly number[] } => {
  const { input } = model
  const image = 'shape' in input ? input : (input.fields['x'] ?? input.fields['image'])
  const channels = image !== undefined && 'shape' in image ? image.shape[2] : undefined
  const fit = (values: readonly number[], own: boolean): readonly number[] => (own || values.length === 1 || values.length === channels ? values : values.slice(0, 1))
  return { mean: fit(mean, mean !== usual.mean), std: fit(std, std !== usual.std) }
}

const weightsOf = async ({ weights: given, seed = 0 }: TrainingConfig, folder: string, model: AnyModel, classes: readonly string[]): Promise<Either<Problem, { readonly weights: Weights; readonly remarks: readonly string[]; readonly close: () => Promise<void> } | undefined>> => {
  if (given === undefined) return right(undefined)
  const path = resolve(folder, typeof given === 'string' ? given : given.file)
  if (!existsSync(path)) return left(problem('fileUnreadable', `${path}: there is no such weight file`))
  const opened = await openSafetensors(path)()
  if (opened._tag === 'Left') return opened
  const close = (): Promise<void> => opened.right.close()
  const loaded = typeof given === 'string' ? checkpoint(opened.right, model, 'training') : loadPartialWeights(opened.right, model, { seed, mode: 'training' })
  if (loaded._tag === 'Left') {
    await close()
    return typeof given === 'string' && loaded.left.remedy === undefined ? left({ ...loaded.left, remedy: `to take over what fits: weights: { file: '${given}', partial: true }` }) : loaded
  }
  const remarks = [...otherClasses(path, opened.right.metadata['labels'], classes)]
  if (typeof loaded.right === 'function' || loaded.right instanceof Map) return right({ weights: loaded.right as Weights, remarks, close })
  const { weights, report } = loaded.right as PartialWeights
  return right({ weights, remarks: [...showTransfer(report).split('\n').map(line => `${path}: ${line}`), ...remarks], close })
}
