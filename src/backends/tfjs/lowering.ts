import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { ComputedKind, OpKind, Tensor } from '../../ops/tensor.js'
import type { Workspace } from './workspace.js'

/**
 * One way to run an op with tfjs kernels. Inputs carry the batch axis in front, 1 where there is none; so
 * must the result. What `run` makes on the way is freed for it.
 */
export interface Lowering<K extends OpKind = OpKind> {
  /** The kernels it calls. */
  readonly needs: readonly string[]
  /** The nodes it can run; all unless given. */
  readonly fits?: (node: Tensor<K>) => boolean
  /** An input it wants in another form; done once where that input is a weight, and once for all that name the same form. */
  readonly adapt?: { readonly input: number; readonly form?: string; readonly make: (w: Workspace, x: TensorInfo, node: Tensor<K>) => TensorInfo }
  /**
   * Over so many of its first inputs it may write its result: it runs one kernel, which reads of such an input, before it
   * writes an element, all that this element and no later one depends on.
   */
  readonly overwrites?: number
  readonly run: (w: Workspace, inputs: readonly TensorInfo[], node: Tensor<K>, batch: number) => TensorInfo
}

/** For every op, the ways to run it, best first: the first one whose kernels the backend has is taken. */
export type Lowerings = { readonly [K in ComputedKind]: readonly Lowering<K>[] }
