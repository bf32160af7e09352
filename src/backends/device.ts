import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Tensor } from '../ops/tensor.js'
import type { Problem } from '../shape/problem.js'
import type { DType, Shape } from '../shape/shape.js'
import type { Assignment, AssignmentGroup } from './assignment.js'

/** Values of one element type. */
export type Values = Float32Array | Int32Array

/** A tfjs tensor, as far as we need to know one; declared here so that our types do not drag tfjs in. */
export interface TensorLike {
  readonly dataId: object
  readonly shape: readonly number[]
  readonly dtype: string
  data(): Promise<ArrayLike<number>>
  dispose(): void
}

/**
 * How one node runs on one device. `run` gets its inputs in order and returns a fresh buffer. Of the inputs that it
 * `overwrites`, so many of the first, it may be told one that nothing needs any more, by its place: then it may return a
 * buffer that shares that one's memory. Either is still to be freed.
 *
 * `adapt` rewrites one input into the form the kernel wants (a transposed or packed weight). The plan does
 * it once where that input is a weight, and at every run where it is not. Of rewritings under the same `form` a weight is
 * held but once, for all kernels that want it.
 */
export interface Kernel<B> {
  readonly adapt?: { readonly input: number; readonly form?: string; readonly make: (buffer: B) => B }
  readonly overwrites?: number
  readonly run: (inputs: readonly B[], spare?: number) => B
}

/** What a device holds at a moment. */
export interface Held {
  readonly buffers: number
  /** Where memory is the device's own, in bytes: in use, the most that ever was, and how far it reaches. */
  readonly bytes?: { readonly live: number; readonly peak: number; readonly reserved: number }
}

/**
 * An opened backend: memory, and a kernel for each node. Shapes given to it include the batch axis, 1
 * where a tensor has none.
 */
export interface Device<B = unknown> {
  readonly name: string
  /** How it runs less well here than it could, and what to do about it. */
  readonly notice?: Problem
  /** The kernel of a node at a batch size, or the names of what is missing to run it. */
  readonly kernel: (node: Tensor, batch: number) => Either<readonly string[], Kernel<B>>
  readonly upload: (values: Values, shape: Shape, dtype: DType) => B
  readonly download: (buffer: B) => Promise<Values>
  readonly free: (buffer: B) => void
  /** What it holds now, where it keeps count. */
  readonly held?: () => Held
  /**
   * Does an assignment for groups of buffers, in place; without this, or where it gives nothing, new values are computed as
   * any others are, and take the places of the old ones.
   */
  readonly assignment?: (how: Assignment) => ((groups: readonly AssignmentGroup<B>[]) => void) | undefined
  /**
   * Gives `target`, which is kept between runs, the values of `source`, which is given up; what holds them now. Where a
   * device computes in more than the 32 bits that a checkpoint holds, it rounds here. Without this `source` itself is kept.
   */
  readonly assign?: (target: B, source: B) => B
}

/** A backend, as a value: import the one you want and hand it to `compile`. */
export interface Backend {
  readonly name: string
  /** Starts it, or says why it cannot run here and what to do. Opening it again gives the same device. */
  readonly open: TaskEither<Problem, Device>
}
