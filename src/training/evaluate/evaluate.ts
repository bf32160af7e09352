import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import type { Weights } from '../../backends/loadOnce.js'
import { openSession } from '../../backends/openSession.js'
import type { Session } from '../../backends/session.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import * as ops from '../../ops/ops.js'
import { isTensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { sizeOf } from '../../shape/shape.js'
import type { Batch, Batches, BatchOptions } from '../data/batch.js'
import { batches } from '../data/batches.js'
import type { Dataset, SampleStream } from '../data/dataset.js'
import type { Skipped } from '../data/image.js'
import { checkData, type ImageShape } from '../loop/checkData.js'
import { crossEntropy } from '../losses/crossEntropy.js'
import { oneHot } from '../losses/oneHot.js'
import { attentionRollout, type AttentionMap } from './attentionRollout.js'
import type { Example } from './example.js'
import { runEvaluation } from './runEvaluation.js'
import type { Evaluation } from './tally.js'
import { toPixels } from './toPixels.js'

/** What a model is tested on, and how images become what it takes. */
export interface EvaluationData extends Pick<BatchOptions, 'mean' | 'std' | 'crop' | 'interpolation' | 'workers' | 'prefetch' | 'split'> {
  readonly samples: Dataset | SampleStream
}

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  readonly backend: Backend
  readonly weights: Weights
  readonly batchSize: number
  /** The seed of the training, where part of its data is evaluated (default 0). */
  readonly seed?: number
  /** How many samples to show of those it gets wrong, and of those it gets right (default 0). */
  readonly examples?: number
  readonly signal?: AbortSignal
  /** Told after each batch how many samples are done, of how many. */
  readonly onBatch?: (done: number, samples: number) => void
}

/** How a model did, and on what. */
export interface Evaluated extends Evaluation {
  readonly classes: readonly string[]
  readonly examples: readonly Example[]
  readonly skipped: readonly Skipped[]
}

/**
 * How well a classifier of images does: cross-entropy, the share whose class is first and among the first five, and how
 * often each class is taken for each. `Model<[height, width, channels], [classes]>`.
 *
 * Errors: those of `trace`, `batches` and the backend; `notAClassifier`, `notAnImageModel`, `classesMisfit`.
 *
 * @example
 * const evaluated = await evaluate(pipe(input(1, 1, 1), globalPool(), linear(2)), { samples: { name: 'one', classes: ['dark', 'light'], size: 1, labels: Int32Array.of(1), item: () => async () => right({ label: 1, name: 'a', image: { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(255) } }) }, workers: 0 }, { backend: reference, weights: new Map([['linear.weight', Float32Array.of(-1, 1)], ['linear.bias', new Float32Array(2)]]), batchSize: 1 })() // Either<Problem, Evaluated>
 */
export const evaluate = <I, S>(model: Model<I, S>, { samples, ...preparation }: EvaluationData, { backend, weights, batchSize, seed = 0, examples = 0, signal, onBatch }: EvaluateOptions): TaskEither<Problem, Evaluated> => async () => {
  const graph = trace(model as AnyModel)
  if (graph._tag === 'Left') return graph
  const { inputs, output } = graph.right
  if (!isTensor(output) || output.shape.length !== 1) return left(problem('notAClassifier', 'evaluate: the model does not give one number for each class'))
  const numClasses = output.shape[0] as number
  const shape = checkData({ image: inputs, numClasses }, samples)
  if (shape._tag === 'Left') return shape
  const source = batches(samples, { ...preparation, shape: shape.right, batchSize, seed, shuffle: false })
  if (source._tag === 'Left') return source
  const labels = ops.input('@label', [], 'int32')
  const map = attentionRollout(graph.right)
  const routines = {
    evaluate: { inputs: { x: inputs, y: labels }, outputs: { loss: crossEntropy(output, oneHot(labels, numClasses)), logits: output } },
    inspect: { inputs, outputs: { logits: output, ...(map === undefined ? {} : { attention: map.weights }) } },
  }
  const session = await openSession(routines, { backend, weights })()
  if (session._tag === 'Left') return session
  try {
    const evaluation = await runEvaluation(session.right, 'evaluate', source.right, numClasses, { ...(signal === undefined ? {} : { signal }), ...(onBatch === undefined ? {} : { onBatch }) })
    if (evaluation._tag === 'Left') return evaluation
    const seen = await examplesOf(session.right, source.right, examples, { shape: shape.right, map, mean: preparation.mean ?? [0], std: preparation.std ?? [1] })
    return seen._tag === 'Left' ? seen : right({ ...evaluation.right, classes: samples.classes, examples: seen.right, skipped: source.right.skipped() })
  } finally {
    session.right.dispose()
    await source.right.close()
  }
}

/** How an example is made of what a model got and gave. */
interface Making {
  readonly shape: ImageShape
  readonly map: AttentionMap | undefined
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** The first samples that are got wrong, and the first that are got right. */
const examplesOf = async (session: Session<'evaluate' | 'inspect'>, source: Batches, count: number, making: Making): Promise<Either<Problem, readonly Example[]>> => {
  const [wrong, good]: [Example[], Example[]] = [[], []]
  if (count === 0) return right([])
  for await (const batch of source.epoch(0)) {
    if (batch._tag === 'Left') return batch
    const ran = await session.run('inspect', batch.right.images)()
    if (ran._tag === 'Left') return ran
    for (let i = 0; i < batch.right.size; i++) {
      const example = exampleOf(batch.right, i, ran.right as Inspected, making)
      const list = example.probabilities.indexOf(Math.max(...example.probabilities)) === example.label ? good : wrong
      if (list.length < count) list.push(example)
    }
    if (wrong.length === count && good.length === count) break
  }
  return right([...wrong, ...good])
}

type Inspected = { readonly logits: Float32Array; readonly attention?: Float32Array }

const exampleOf = ({ images, labels, names, size }: Batch, i: number, { logits, attention }: Inspected, { shape, map, mean, std }: Making): Example => {
  const each = sizeOf(shape)
  const numClasses = logits.length / size
  const probabilities = softmax(logits.subarray(i * numClasses, (i + 1) * numClasses))
  const places = map === undefined ? 0 : map.rows * map.columns
  return {
    name: names[i]!,
    label: labels[i]!,
    probabilities,
    image: toPixels(images.subarray(i * each, (i + 1) * each), shape, { mean, std }),
    ...(map === undefined || attention === undefined ? {} : { attention: { rows: map.rows, columns: map.columns, weights: attention.slice(i * places, (i + 1) * places) } }),
  }
}

const softmax = (scores: Float32Array): readonly number[] => {
  const highest = Math.max(...scores)
  const powers = Array.from(scores, score => Math.exp(score - highest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}
