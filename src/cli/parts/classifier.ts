import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { compile } from '../../backends/compile.js'
import type { Backend } from '../../backends/device.js'
import { trace } from '../../graph/trace.js'
import type { Model } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { isTensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { isShape, showFields, type Shape } from '../../shape/shape.js'
import { openSafetensors } from '../../weights/openSafetensors.js'
import { checkpoint } from './checkpoint.js'
import { decodeImage } from './decodeImage.js'
import { inputShape } from './inputShape.js'
import { prepareImage } from './prepareImage.js'
import { preprocessingOf } from './preprocessingOf.js'
import { readLabels } from './readLabels.js'
import { softmax } from './softmax.js'
import type { Subject } from './subject.js'

/** What a model sees in an image. */
export interface Sighting {
  readonly probabilities: readonly number[]
  /** Time of the model alone. */
  readonly ms: number
}

/** A compiled classifier of image files. */
export interface Classifier {
  readonly labels: readonly string[]
  readonly see: (file: string) => TaskEither<Problem, Sighting>
  readonly dispose: () => void
}

/**
 * Compiles a model with a weight file and reads the labels out of `labels` (a text), the weight file's
 * metadata, or counts. Errors: `notAClassifier`, `notFinite` (when it sees); those of `trace`, `openSafetensors`, `checkpoint`, `compile`,
 * `readLabels`.
 */
export const classifier = (subject: Subject, weightFile: string, backend: Backend, labels?: { readonly text: string; readonly file: string }): TaskEither<Problem, Classifier> => async () => {
  const traced = trace(subject.model)
  if (traced._tag === 'Left') return traced
  const [takes, gives] = [inputShape(subject.model.input), shapeOfSignal(traced.right.output)]
  if (!isShape(takes) || !isShape(gives) || gives.length !== 1) return left(problem('notAClassifier', `${subject.id}: takes ${showFields(takes)} and gives ${showFields(gives)}, not classes of an image`))
  const opened = await openSafetensors(weightFile)()
  if (opened._tag === 'Left') return opened
  try {
    const { metadata } = opened.right
    const weights = checkpoint(opened.right, subject.model)
    if (weights._tag === 'Left') return weights
    const written = labels ?? (metadata['labels'] === undefined ? undefined : { text: metadata['labels'], file: `${weightFile}: labels` })
    const named = written === undefined ? right(Array.from({ length: gives[0]! }, (_, i) => `${i}`)) : readLabels(written.text, gives[0]!, written.file)
    if (named._tag === 'Left') return named
    const program = await compile(subject.model as unknown as Model<Shape, Shape>, { backend, weights: weights.right })()
    if (program._tag === 'Left') return program
    const preprocessing = preprocessingOf(subject.preprocessing, metadata)
    const isNormalised = isTensor(traced.right.output) && traced.right.output.op === 'softmax'
    const see = (file: string): TaskEither<Problem, Sighting> => async () => {
      const image = await decodeImage(file)()
      if (image._tag === 'Left') return image
      const input = prepareImage(image.right, takes, preprocessing)
      if (input._tag === 'Left') return input
      const began = performance.now()
      const output = await program.right.run(input.right)()
      if (output._tag === 'Left') return output
      if (!output.right.every(Number.isFinite)) return left(problem('notFinite', `${file}: the model gives numbers that are not finite`, { remedy: `check the weights in ${weightFile}` }))
      return right({ probabilities: isNormalised ? Array.from(output.right) : softmax(output.right), ms: performance.now() - began })
    }
    return right({ labels: named.right, see, dispose: () => program.right.dispose() })
  } finally {
    await opened.right.close()
  }
}
