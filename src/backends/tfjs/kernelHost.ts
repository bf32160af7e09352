import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { DType, Shape } from '../../shape/shape.js'
import type { Device, Held, Values } from '../device.js'

/** The tensors a kernel is called with: by name, or in order. */
export type KernelInputs = Readonly<Record<string, TensorInfo | undefined>> | readonly TensorInfo[]

/** Memory for tensors, and kernels by name that work in it: a tfjs backend, or a heap of our own. */
export interface KernelHost {
  readonly name: string
  readonly has: (kernel: string) => boolean
  /**
   * The results of a kernel, each ours to free. `Reshape` is among the kernels of every host.
   *
   * @param spare an input whose memory the result may share
   */
  readonly run: (kernel: string, inputs: KernelInputs, attrs: object, spare?: TensorInfo) => readonly TensorInfo[]
  readonly upload: (values: Values, shape: Shape, dtype: DType) => TensorInfo
  /** See {@link Device.assignment}. */
  readonly assignment?: Device<TensorInfo>['assignment']
  /** A copy of a tensor's values. */
  readonly download: (x: TensorInfo) => Promise<Values>
  readonly free: (x: TensorInfo) => void
  readonly held: () => Held
}
