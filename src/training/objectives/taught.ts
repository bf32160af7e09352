import type { Either } from 'fp-ts/lib/Either.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Signal, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { sameShape, show } from '../../shape/shape.js'
import type { Batch } from '../data/batch.js'
import type { Taught, Teacher } from './teacher.js'

/** What a teacher says, as inputs of a graph: `[numClasses]`, `[tokens, channels]`. */
export interface Lessons {
  readonly logits: Tensor
  readonly tokens?: Tensor
}

/**
 * A teacher's words as inputs of a graph.
 *
 * @example
 * lessons({ about: 'a', gives: { logits: [10] }, see: () => async () => left(problem('away', 'away')), bytes: () => right({ parameters: 0, peak: 0 }), close: () => {} }).logits.shape // [10]
 */
export const lessons = ({ gives }: Teacher): Lessons => ({ logits: ops.input('@teacher', gives.logits), ...(gives.tokens === undefined ? {} : { tokens: ops.input('@teacherTokens', gives.tokens) }) })

/** What a teacher says of a batch, by the names of its {@link lessons}. Errors: those of the teacher. */
export const taught = (teacher: Teacher, { names }: Pick<Batch, 'names'>, images: Float32Array, { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] }): Promise<Either<Problem, Taught>> => teacher.see({ images, names, mean, std })()

/** Why a teacher cannot teach on what a pupil sees; nothing where it can. */
export const teacherMisfit = ({ image, gives }: Teacher, seen: Signal, isMixed: boolean): Problem | undefined => {
  if (gives.logits.length !== 1) return problem('teacherMisfit', `train: the teacher gives ${show(gives.logits)}, not one number for each class`)
  if (image === undefined) return isMixed ? problem('teacherMisfit', 'train: a teacher that was recorded cannot say anything of samples that are mixed', { remedy: 'leave out mix, or let the teacher itself look' }) : undefined
  return isTensor(seen) && !sameShape(image, seen.shape) ? problem('teacherMisfit', `train: the teacher takes images of ${show(image)}, the model of ${show(seen.shape)}`, { remedy: 'give one of them the imageSize or channels of the other', expected: show(image), actual: show(seen.shape) }) : undefined
}
