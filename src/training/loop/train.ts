import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import type { Problem } from '../../shape/problem.js'
import { checkpoints, files } from '../checkpoint/checkpoints.js'
import { claimFolder } from '../checkpoint/claimFolder.js'
import { openMetricsLog } from '../metrics/metricsLog.js'
import { prepareTraining } from './prepareTraining.js'
import { Trainer, type TrainingResult } from './trainer.js'
import type { TrainingData } from './trainingData.js'
import type { TrainOptions } from './trainOptions.js'

/**
 * Trains a classifier of images, `Model<[height, width, channels], [classes]>`, on any backend.
 *
 * Everything that can be known is checked before the first step, and what the training will hold is told (the event
 * `started`). With a `folder` it writes `metrics.jsonl`, `last.safetensors` and the one before it, and the best weights
 * as `best.safetensors`; killed at any moment and resumed, it ends with the same bytes as if it had not been. Two
 * trainings of the same model, data, settings and backend do the same.
 *
 * Errors, before the first step: those of `trace`, `trainingRoutines`, `batches` and the backend; `badOption`,
 * `missingOption`, `notAnImageModel`, `classesMisfit`, `tooFewBatches`, `folderTaken`, `folderBusy`,
 * `configChanged`, `checkpointMisfit`, `checkpointDamaged`. On the way: `badRate`; `notFinite`, with the step and the layer
 * where it began; those of the data; `fileUnwritable`, `stateLost`.
 *
 * @example
 * const trained = await train(pipe(input(1, 1, 1), globalPool(), linear(2)), { train: { name: 'one', classes: ['dark', 'light'], size: 1, labels: Int32Array.of(1), item: () => async () => right({ label: 1, name: 'a', image: { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(255) } }) }, workers: 0 }, { backend: wasm, steps: 2, batchSize: 1, optimiser: optimisers.adamw(), schedule: schedules.constant({ rate: 0.001 }) })() // Either<Problem, TrainingResult>
 */
export const train = <I, S>(model: Model<I, S>, data: TrainingData, options: TrainOptions): TaskEither<Problem, TrainingResult> => async () => {
  // Before the checkpoint is read, which another training may be about to write.
  const claim = options.folder === undefined ? undefined : await claimFolder(options.folder)
  if (claim?._tag === 'Left') return claim
  try {
    return await trainPrepared(model as AnyModel, data, options)
  } finally {
    await claim?.right()
  }
}

const trainPrepared = async (model: AnyModel, data: TrainingData, options: TrainOptions): Promise<Either<Problem, TrainingResult>> => {
  const prepared = await prepareTraining(model, data, options)()
  if (prepared._tag === 'Left') return prepared
  const training = prepared.right
  try {
    const { folder, onEvent } = options
    onEvent?.({ kind: 'started', plan: training.plan })
    for (const sentence of training.warnings) onEvent?.({ kind: 'warning', sentence })
    if (folder !== undefined) await checkpoints.tidy(folder, training.damaged)
    const log = folder === undefined ? undefined : await openMetricsLog(`${folder}/${files.metrics}`, training.progress)()
    if (log?._tag === 'Left') return log
    try {
      return await new Trainer(training, log?.right).run()
    } finally {
      await log?.right.close()
    }
  } finally {
    await training.dispose()
  }
}
