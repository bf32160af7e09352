import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Device, Values } from '../device.js'
import { kernelDevice } from './kernelDevice.js'
import type { KernelHost } from './kernelHost.js'
import type { Lowerings } from './lowering.js'

/** The module, as the user's own copy of tfjs gives it. */
export type Tfjs = typeof import('@tensorflow/tfjs-core')

/**
 * A device over a tfjs backend that is ready. Its kernels are called by name, without the engine: no tape, no tidy, no active
 * backend that another part of the program might have changed. What they make is ours to free, buffer by buffer.
 *
 * @param keepsArrays whether values must be copied on their way in and out, lest a caller's array be ours too
 */
export const tfjsDevice = (name: string, tf: Tfjs, backendName: string, table: Lowerings, keepsArrays: boolean): Device<TensorInfo> => {
  const backend = tf.engine().findBackend(backendName)
  const host: KernelHost = {
    name,
    has: kernel => tf.getKernel(kernel, backendName) !== undefined,
    run: (kernel, inputs, attrs) => {
      const result = tf.getKernel(kernel, backendName).kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend })
      return Array.isArray(result) ? result : [result]
    },
    upload: (values, shape, dtype) => ({ dataId: backend.write(keepsArrays ? values.slice() : values, [...shape], dtype), shape: [...shape], dtype }),
    download: async x => {
      const values = (await backend.read(x.dataId)) as Values
      return keepsArrays ? values.slice() : values
    },
    free: x => void backend.disposeData(x.dataId),
    held: () => ({ buffers: backend.numDataIds() }),
  }
  return kernelDevice(host, table)
}
