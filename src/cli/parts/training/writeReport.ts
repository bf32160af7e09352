import { readFile, writeFile } from 'node:fs/promises'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../../backends/device.js'
import type { AnyModel } from '../../../layers/core/model.js'
import { problem, type Problem } from '../../../shape/problem.js'
import { evaluate } from '../../../training/evaluate/evaluate.js'
import { reconstructions } from '../../../training/evaluate/reconstructions.js'
import type { TrainingData } from '../../../training/loop/trainingData.js'
import type { TrainingResult } from '../../../training/loop/trainer.js'
import { crossEntropy } from '../../../training/losses/crossEntropy.js'
import { readMetrics } from '../../../training/metrics/readMetrics.js'
import type { Objective } from '../../../training/objectives/objective.js'
import { report } from '../../../training/report/report.js'
import { aimOf } from '../../../training/routines/aimOf.js'
import { format } from '../format.js'
import { messageOf } from '../messageOf.js'

/** What the report of a training is made of. */
export interface ReportParts {
  readonly id: string
  readonly model: AnyModel
  readonly data: TrainingData
  readonly objective?: Objective
  readonly form?: AnyModel
  readonly result: TrainingResult
  /** The file of metrics. */
  readonly metrics: string
  readonly backend: Backend
  readonly batchSize: number
  readonly seed: number
}

const examples = 12

/**
 * Writes the report of a training: its curves, and how its last weights do on what it was validated on, or what they make
 * of images where that is the objective. Errors: `fileUnwritable`; those of `evaluate`, `reconstructions` and `report`.
 */
export const writeReport = (file: string, { id, model, data, objective, form, result, metrics, backend, batchSize, seed }: ReportParts): TaskEither<Problem, void> => async () => {
  const { train, validation, transform: _, ...preparation } = data
  const samples = typeof validation === 'object' ? { samples: validation } : { samples: train, ...(validation === undefined ? {} : { split: { validation, part: 'validation' as const } }) }
  const known = aimOf(model, { loss: crossEntropy, ...(objective === undefined ? {} : { objective }) }, { ...(form === undefined ? {} : { form }), batchSize, train, validation: samples.samples, ...preparation })
  if (known._tag === 'Left') return known
  const { aim } = known.right
  const weights = result.average ?? result.weights
  const isClassifier = validation !== undefined && aim.numClasses !== undefined
  const evaluation = isClassifier ? await evaluate(model as never, { ...preparation, ...samples }, { backend, weights, batchSize, seed, examples })() : undefined
  if (evaluation?._tag === 'Left') return evaluation
  const pictures = await reconstructions(aim, { ...preparation, ...samples }, { backend, weights, seed, examples: Math.min(examples, samples.samples.size) })()
  if (pictures._tag === 'Left') return pictures
  const lines = readMetrics(await readFile(metrics, 'utf8').catch(() => ''))
  const { best } = result
  const page = await report({
    title: id,
    facts: [['data', train.name], ['steps', format.count(result.step)], ...(best === undefined ? [] : [['best', `${best.value.toFixed(4)} at step ${format.count(best.step)}`] as const]), ...(result.average === undefined ? [] : [['weights', 'averaged'] as const])],
    metrics: lines,
    ...(evaluation === undefined ? {} : { evaluation: evaluation.right }),
    reconstructions: pictures.right,
  })
  return page._tag === 'Left' ? page : writeText(file, page.right)()
}

/** Writes a text file. Errors: `fileUnwritable`. */
export const writeText = (file: string, text: string): TaskEither<Problem, void> => async () => {
  try {
    return right(await writeFile(file, text))
  } catch (cause) {
    return left(problem('fileUnwritable', `${file}: ${messageOf(cause)}`))
  }
}
