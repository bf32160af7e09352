import { add, exp, multiply, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { average } from './average.js'
import { crossEntropy } from './crossEntropy.js'
import { logSoftmax } from './logSoftmax.js'
import { ofLargest } from './ofLargest.js'
import { sameShapes } from './sameShapes.js'

/** Options of {@link distillation}. */
export interface DistillationOptions {
  /** `hard`: towards the class the teacher prefers; `soft`: towards all its probabilities (default `hard`). */
  readonly kind?: 'hard' | 'soft'
  /** The share of the teacher, from 0 to 1 (default 0.5). */
  readonly alpha?: number
  /** What logits are divided by before they are compared softly (default 1). */
  readonly temperature?: number
}

/**
 * Learning from a teacher (Touvron et al., 2021, "Training data-efficient image transformers", section 3):
 * `(1 − alpha) · base + alpha · distance(student, teacher)`, where `base` is a loss of its own and `student` are the
 * logits of the distillation token, or the same as those of `base`. `[], [numClasses], [numClasses] → []`.
 *
 * Hard: cross-entropy with the teacher's class. Soft: `T² · KL(teacher ‖ student)` at temperature `T`, the mean over
 * classes as well as over the batch, as DeiT's code has it.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * distillation(ops.scalar(1), ops.input('student', [10]), ops.input('teacher', [10]), { kind: 'soft', alpha: 0.1, temperature: 3 }).shape // []
 */
export const distillation = (base: Tensor, student: Tensor, teacher: Tensor, { kind = 'hard', alpha = 0.5, temperature = 1 }: DistillationOptions = {}): Tensor => {
  sameShapes('distillation', ["the student's logits", "the teacher's"], student, teacher)
  const distance = kind === 'hard' ? crossEntropy(student, ofLargest(teacher)) : divergence(student, teacher, temperature)
  return add(multiply(scalar(1 - alpha), base), multiply(scalar(alpha), distance))
}

const divergence = (student: Tensor, teacher: Tensor, temperature: number): Tensor => {
  const [ours, theirs] = [student, teacher].map(logits => logSoftmax(multiply(logits, scalar(1 / temperature)))) as [Tensor, Tensor]
  return multiply(scalar(temperature ** 2), average(multiply(exp(theirs), subtract(theirs, ours))))
}
