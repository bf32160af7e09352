import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import type { Values } from '../../device.js'
import type { NativeKernels, OperandsOf, SharedKernel } from './native.js'

/** The kernel module on one memory: a heap of our own, or that of a tfjs backend. */
export interface Kernels {
  readonly native: NativeKernels
  readonly relaxedSimd: boolean
  /** Byte offset of a tensor. Valid until the tensor is freed; memory growth does not move it. */
  readonly address: (tensor: TensorInfo) => number
  /** The numbers of a tensor, where they are. Valid until the next allocation. */
  readonly values: (tensor: TensorInfo) => Values
  /** A new tensor, contents undefined. Throws where memory is full. */
  readonly output: (shape: readonly number[], dtype?: DataType) => TensorInfo
  /** Byte offset of at least `bytes` bytes, contents undefined, valid until the next call: kept and grown. Each thread gets `bytesPerThread` beside it. */
  readonly scratch: (bytes: number, bytesPerThread?: number) => number
  /** Writes int32 values at a byte offset. */
  readonly writeInts: (at: number, values: readonly number[]) => void
  /**
   * Runs a kernel over all units of its work, by as many threads as it is worth.
   *
   * @param nanoseconds about how long one thread takes for all of it
   */
  readonly run: <K extends SharedKernel>(kernel: K, units: number, nanoseconds: number, ...operands: OperandsOf<K>) => void
  /** Gives the scratch memory back; the next call takes it anew. */
  readonly release: () => void
}
