import type { ElementwiseStep } from '../ops/tensor.js'

/** Elementwise steps that give tensors new values in their own places, the same for many groups of tensors. */
export interface Assignment {
  /** For each operand of the steps whether it is one number for a whole group; the others have the size of what is written. */
  readonly isSingle: readonly boolean[]
  readonly steps: readonly ElementwiseStep[]
  /** For each target, the step whose result it takes. */
  readonly results: readonly number[]
}

/** What the steps of an {@link Assignment} are done on: a target may be an operand too, and all are of one size. */
export interface AssignmentGroup<T> {
  readonly operands: readonly T[]
  readonly targets: readonly T[]
}
