import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'
import { checkpoints } from '../checkpoint/checkpoints.js'
import { finiteTensors } from '../checkpoint/finiteTensors.js'
import type { Progress } from '../checkpoint/progress.js'
import type { MetricsLog } from '../metrics/metricsLog.js'
import type { Metric, Scores, ValidationMetric } from '../metrics/metric.js'
import { averageName } from '../routines/updateStep.js'
import type { KeptTensor } from '../checkpoint/checkpoint.js'
import { BatchReader } from './batchReader.js'
import type { Training } from './prepareTraining.js'
import { runStep } from './runStep.js'
import { runValidation, type Validation } from './runValidation.js'

/** How a training ended. */
export interface TrainingResult {
  readonly reason: 'finished' | 'stoppedEarly' | 'aborted'
  readonly step: number
  /** The best validation, and by what it was judged. */
  readonly best?: { readonly by: keyof Scores; readonly step: number; readonly value: number }
  /** The last validation. */
  readonly validation?: Validation
  /** The weights as they are now, by their published names. */
  readonly weights: ReadonlyMap<string, Float32Array>
  /** Their moving average, where one was kept. */
  readonly average?: ReadonlyMap<string, Float32Array>
  /** Corrupt samples that others stood in for. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

/** One training on its way. It lives and dies inside `train`. */
export class Trainer {
  private progress: Progress
  private evaluation: Validation | undefined
  private readonly told = new Set<string>()
  private readonly reader: BatchReader
  private readonly began = performance.now()

  constructor(private readonly training: Training, private readonly log: MetricsLog | undefined) {
    this.progress = training.progress
    this.reader = new BatchReader(training.train, training.settings, this.progress.step)
  }

  /** Steps and validations in turn until the end, and a checkpoint at it. */
  async run(): Promise<Either<Problem, TrainingResult>> {
    const { settings, options: { signal } } = this.training
    try {
      for (;;) {
        if (this.progress.isDue) {
          const concluded = await this.conclude()
          if (concluded._tag === 'Left') return concluded.left.code === 'aborted' ? await this.aborted() : concluded
        }
        if (this.progress.step >= settings.steps) return await this.ended('finished')
        if (this.progress.waited >= settings.patience) return await this.ended('stoppedEarly')
        if (signal?.aborted === true) return await this.aborted()
        const stepped = await this.step()
        if (stepped._tag === 'Left') return stepped.left.code === 'aborted' ? await this.aborted() : stepped
      }
    } finally {
      await this.reader.close()
    }
  }

  private async step(): Promise<Either<Problem, void>> {
    const { training, progress } = this
    const { settings, options: { signal } } = training
    const batches = await this.reader.next(signal)
    this.tellSkipped()
    if (batches._tag === 'Left') return batches
    const ran = await runStep(training, progress.step, batches.right)
    if (ran._tag === 'Left') return ran
    const { loss, norm, hits, samples, rate } = ran.right
    const step = progress.step + 1
    const { sums } = progress
    this.progress = { ...progress, step, isDue: this.isDueAfter(step), sums: { loss: sums.loss + loss * samples, correct: sums.correct + hits, samples: sums.samples + samples } }
    return this.tell({ kind: 'step', step, epoch: Math.ceil(step / settings.stepsPerEpoch), ...this.scores(loss, hits / samples), rate, norm })
  }

  private scores(loss: number, share: number): Scores {
    const { score } = this.training.routines.aim
    return { loss, ...(score === undefined ? {} : { [score]: share }) }
  }

  private isEpochEnd(step: number): boolean {
    return step % this.training.settings.stepsPerEpoch === 0
  }

  private isValidated(step: number): boolean {
    const { settings: { steps, validateEvery }, validation } = this.training
    return validation !== undefined && (step % validateEvery === 0 || step === steps)
  }

  private isDueAfter(step: number): boolean {
    const { steps, checkpointEvery } = this.training.settings
    return step === steps || this.isEpochEnd(step) || this.isValidated(step) || step % checkpointEvery === 0
  }

  /** What follows a step: the end of an epoch, a validation, a checkpoint. */
  private async conclude(): Promise<Either<Problem, void>> {
    const { step, sums } = this.progress
    const epoch = Math.ceil(step / this.training.settings.stepsPerEpoch)
    let next: Progress = { ...this.progress, isDue: false }
    if (this.isEpochEnd(step)) {
      const told = await this.tell({ kind: 'epoch', step, epoch, ...this.scores(sums.loss / sums.samples, sums.correct / sums.samples) })
      if (told._tag === 'Left') return told
      next = { ...next, sums: { loss: 0, correct: 0, samples: 0 } }
    }
    if (this.isValidated(step)) {
      const validated = await this.validate(next, epoch)
      if (validated._tag === 'Left') return validated
      next = validated.right
    }
    this.progress = next
    return this.checkpoint()
  }

  private async validate(progress: Progress, epoch: number): Promise<Either<Problem, Progress>> {
    const { session, validation, options, settings: { watch, seed }, routines } = this.training
    const evaluate = (name: 'evaluate' | 'evaluateAverage') => runValidation(session, name, validation!, routines.aim, { seed, ...(options.signal === undefined ? {} : { signal: options.signal }), onBatch: (done, samples) => options.onEvent?.({ kind: 'validating', done, samples }) })
    const plain = await evaluate('evaluate')
    if (plain._tag === 'Left') return plain
    const average = routines.routines.evaluateAverage === undefined ? undefined : await evaluate('evaluateAverage')
    if (average?._tag === 'Left') return average
    this.tellSkipped()
    const watched = average?.right ?? plain.right
    this.evaluation = watched
    const value = watched[watch]!
    const { best, step, waited } = progress
    const isBest = Number.isFinite(value) && (best === undefined || (watch === 'loss' ? value < best.value : value > best.value))
    const metric: ValidationMetric = { kind: 'validation', step, epoch, ...scoresOf(plain.right), ...(average === undefined ? {} : { average: scoresOf(average.right) }), isBest }
    const told = await this.tell(metric)
    if (told._tag === 'Left') return told
    if (!isBest) return right({ ...progress, waited: waited + 1 })
    // Before the checkpoint that calls it the best: killed between the two, the training finds it the best again.
    const kept = await this.keepBest(metric)
    return kept._tag === 'Left' ? kept : right({ ...progress, best: { step, value }, waited: 0 })
  }

  private async keepBest(metric: ValidationMetric): Promise<Either<Problem, void>> {
    const { folder, about = {} } = this.training.options
    const { step, average } = metric
    if (folder === undefined) return right(undefined)
    const tensors = await this.tensors()
    if (tensors._tag === 'Left') return tensors
    const { weights, averages } = tensors.right
    const kept = await checkpoints.keepBest(folder, weights.map(tensor => averages.get(tensor.name) ?? tensor), { ...about, step: `${step}`, validation: JSON.stringify(average ?? scoresOf(metric)) })()
    return kept._tag === 'Left' ? kept : right(this.training.options.onEvent?.({ kind: 'checkpoint', file: kept.right, step }))
  }

  private async checkpoint(): Promise<Either<Problem, void>> {
    const { training: { options: { folder, about = {}, onEvent }, config }, progress } = this
    if (folder === undefined) return right(undefined)
    const tensors = await this.tensors()
    if (tensors._tag === 'Left') return tensors
    await this.log?.sync()
    const kept = await checkpoints.keep(folder, { weights: tensors.right.weights, state: tensors.right.state, progress, config, about })()
    return kept._tag === 'Left' ? kept : right(onEvent?.({ kind: 'checkpoint', file: kept.right, step: progress.step }))
  }

  /** All that a checkpoint holds, and the averages in it. Errors: those of the session and of `finiteTensors`. */
  private async tensors(): Promise<Either<Problem, { readonly weights: readonly KeptTensor[]; readonly state: readonly KeptTensor[]; readonly averages: ReadonlyMap<string, KeptTensor> }>> {
    const { session, routines: { parameters, state, changed }, fixed } = this.training
    const read = await session.read([...changed, ...state.map(({ tensor }) => tensor.attributes.name)])()
    if (read._tag === 'Left') return read
    const finite = finiteTensors(read.right, this.progress.step)
    if (finite._tag === 'Left') return finite
    const averages = parameters.flatMap(({ attributes: { name }, shape }) => {
      const data = read.right.get(averageName(name))
      return data === undefined ? [] : [[name, { name, shape, data }] as const]
    })
    return right({
      weights: parameters.map(({ attributes: { name }, shape }) => ({ name, shape, data: (read.right.get(name) ?? fixed.get(name))! })),
      state: state.map(({ tensor: { attributes: { name }, shape } }) => ({ name, shape, data: read.right.get(name)! })),
      averages: new Map(averages),
    })
  }

  private async aborted(): Promise<Either<Problem, TrainingResult>> {
    const kept = this.progress.step === this.training.progress.step ? right(undefined) : await this.checkpoint()
    return kept._tag === 'Left' ? kept : this.ended('aborted')
  }

  private async ended(reason: TrainingResult['reason']): Promise<Either<Problem, TrainingResult>> {
    const tensors = await this.tensors()
    if (tensors._tag === 'Left') return tensors
    const { weights, averages } = tensors.right
    const { step, best } = this.progress
    const byName = (list: readonly KeptTensor[]): ReadonlyMap<string, Float32Array> => new Map(list.map(({ name, data }) => [name, data]))
    return right({
      reason,
      step,
      ...(best === undefined ? {} : { best: { by: this.training.settings.watch, ...best } }),
      ...(this.evaluation === undefined ? {} : { validation: this.evaluation }),
      weights: byName(weights),
      ...(averages.size === 0 ? {} : { average: byName(weights.map(tensor => averages.get(tensor.name) ?? tensor)) }),
      skipped: [...this.training.train.skipped(), ...(this.training.validation?.skipped() ?? [])],
    })
  }

  private async tell(metric: Metric): Promise<Either<Problem, void>> {
    const logged = await this.log?.append(metric)
    if (logged?._tag === 'Left') return logged
    const { settings: { batchSize, accumulate, steps }, progress: { step: first }, options } = this.training
    const done = metric.step - first
    const elapsed = performance.now() - this.began
    options.onEvent?.({ kind: 'metric', metric, samplesPerSecond: (1000 * done * batchSize * accumulate) / elapsed, left: (elapsed / Math.max(1, done)) * (steps - metric.step) })
    return right(undefined)
  }

  private tellSkipped(): void {
    for (const sample of [...this.training.train.skipped(), ...(this.training.validation?.skipped() ?? [])]) {
      if (this.told.has(sample.name)) continue
      this.told.add(sample.name)
      this.training.options.onEvent?.({ kind: 'skipped', sample })
    }
  }
}

const scoresOf = ({ loss, accuracy, retrieval }: Scores): Scores => ({ loss, ...(accuracy === undefined ? {} : { accuracy }), ...(retrieval === undefined ? {} : { retrieval }) })
