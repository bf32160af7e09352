import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import type { Weights } from '../../backends/loadOnce.js'
import { openSession } from '../../backends/openSession.js'
import { print } from '../../graph/print.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import { isTensor } from '../../ops/tensor.js'
import { nearest } from '../../shape/nearest.js'
import { problem, type Problem } from '../../shape/problem.js'
import { fnv1a32 } from '../../weights/fnv1a32.js'
import { logitsOf } from './logitsOf.js'
import type { Taught, Teacher } from './teacher.js'

/** Options of {@link openTeacher}. */
export interface TeacherOptions {
  /** Where it runs; it need not be where its pupil is trained. */
  readonly backend: Backend
  readonly weights: Weights
  /** What tells its weights from others, such as the digest of their file; without it, a training does not notice at resuming that they are others. */
  readonly about?: string
  /** How its images are normalised; those of the pupil are made so (default: 0 and 1). */
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  /** The feature that holds its tokens, where they are to be learned from too: `norm`, or `x_aux` of an LV-ViT. */
  readonly tokens?: string
}

/**
 * A classifier with its weights as a teacher, in inference mode. It is to be closed.
 *
 * Errors: those of `trace` and `openSession`; `notAClassifier`, `noSuchFeature`.
 *
 * @example
 * const teacher = await openTeacher(pipe(input(1, 1, 1), globalPool(), linear(2)), { backend: reference, weights: new Map([['linear.weight', Float32Array.of(-1, 1)], ['linear.bias', new Float32Array(2)]]) })() // Either<Problem, Teacher>
 */
export const openTeacher = <I, S>(model: Model<I, S>, { backend, weights, about = '', mean = [0], std = [1], tokens: place }: TeacherOptions): TaskEither<Problem, Teacher> => async () => {
  const graph = trace(model as AnyModel)
  if (graph._tag === 'Left') return graph
  const { inputs, features } = graph.right
  const logits = logitsOf(graph.right)
  if (logits._tag === 'Left') return left({ ...logits.left, sentence: logits.left.sentence.replace(/^train: the model/, 'teacher: it') })
  const tokens = place === undefined ? undefined : features.get(place)
  if (place !== undefined && (tokens === undefined || !isTensor(tokens))) {
    const near = nearest(place, [...features.keys()])
    return left(problem('noSuchFeature', `teacher: has no feature '${place}'`, near === undefined ? {} : { remedy: `did you mean '${near}'?` }))
  }
  const given = { logits: logits.right, ...(tokens === undefined || !isTensor(tokens) ? {} : { tokens }) }
  const session = await openSession({ see: { inputs, outputs: given } }, { backend, weights })()
  if (session._tag === 'Left') return session
  return right({
    about: `${fnv1a32(print(Object.values(given)))} ${about}`.trim(),
    ...(isTensor(inputs) ? { image: inputs.shape } : {}),
    gives: { logits: given.logits.shape, ...(given.tokens === undefined ? {} : { tokens: given.tokens.shape }) },
    see: seen => async () => {
      const ran = await session.right.run('see', renormalised(seen.images, seen, { mean, std }, isTensor(inputs) ? inputs.shape.at(-1)! : 1))()
      return ran._tag === 'Left' ? left({ ...ran.left, sentence: `teacher: ${ran.left.sentence}` }) : right(ran.right as unknown as Taught)
    },
    bytes: batchSize => session.right.bytes('see', batchSize),
    close: () => session.right.dispose(),
  })
}

interface Normalised {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** Images as they are where another mean and deviation are taken off. */
const renormalised = (images: Float32Array, from: Normalised, to: Normalised, channels: number): Float32Array => {
  const each = (values: readonly number[], c: number): number => values[c] ?? values[0]!
  const scales = Array.from({ length: channels }, (_, c) => ({ by: each(from.std, c) / each(to.std, c), plus: (each(from.mean, c) - each(to.mean, c)) / each(to.std, c) }))
  return scales.every(({ by, plus }) => by === 1 && plus === 0) ? images : images.map((value, i) => value * scales[i % channels]!.by + scales[i % channels]!.plus)
}
