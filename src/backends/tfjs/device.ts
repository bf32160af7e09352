import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Problem } from '../../shape/problem.js'
import type { Device, Values } from '../device.js'
import { kernelDevice } from './kernelDevice.js'
import type { KernelHost } from './kernelHost.js'
import type { Lowerings } from './lowering.js'

/** The module, as the user's own copy of tfjs gives it. */
export type Tfjs = typeof import('@tensorflow/tfjs-core')

/**
 * Kernels that do not take our tensors. Those of TensorFlow's own library call tfjs's engine, and want tensors of the engine;
 * none is a loss, since fused ones are there the single ones in a row. Those of wasm want a bias that was of rank 1 when it
 * was made, whatever its shape is now.
 */
const unfit: Readonly<Record<string, ReadonlySet<string>>> = {
  tensorflow: new Set(['Step', 'Pow', 'Mean', '_FusedMatMul', 'FusedConv2D', 'FusedDepthwiseConv2D']),
  wasm: new Set(['_FusedMatMul', 'FusedConv2D', 'FusedDepthwiseConv2D']),
}

/**
 * A device over a tfjs backend that is ready. Its kernels are called by name, without the engine: no tape, no tidy, no active
 * backend that another part of the program might have changed. What they make is ours to free, buffer by buffer.
 *
 * @param notice how it runs less well here than it could
 */
export const tfjsDevice = (name: string, tf: Tfjs, backendName: string, table: Lowerings, notice?: Problem): Device<TensorInfo> => {
  const backend = tf.engine().findBackend(backendName)
  const host: KernelHost = {
    name,
    has: kernel => unfit[backendName]?.has(kernel) !== true && tf.getKernel(kernel, backendName) !== undefined,
    run: (kernel, inputs, attrs) => {
      const result = tf.getKernel(kernel, backendName).kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend })
      return Array.isArray(result) ? result : [result]
    },
    // Most backends keep the very arrays they are given until they need them, and hand them out again: a caller's array is not ours.
    upload: (values, shape, dtype) => ({ dataId: backend.write(values.slice(), [...shape], dtype), shape: [...shape], dtype }),
    download: async x => ((await backend.read(x.dataId)) as Values).slice(),
    free: x => void backend.disposeData(x.dataId),
    held: () => ({ buffers: backend.numDataIds() }),
  }
  return { ...kernelDevice(host, table), ...(notice === undefined ? {} : { notice }) }
}
