import type { Backend } from '../device.js'
import { tfjsBackend } from '../tfjs/open.js'
import { wasmLowerings } from '../wasm/lowerings.js'
import { loadKernelsAsync } from './load.js'

/**
 * TensorFlow.js in WebAssembly, with the kernels of `vitrail/backends/wasm` registered in it: ordinary tfjs tensors and our
 * own results lie in one memory. One thread. Works in Node as it is; in a bundle, tell tfjs first where its binaries are
 * (`setWasmPaths`), as for any use of it. Needs `@tensorflow/tfjs-backend-wasm`.
 */
export const tfjsWasm: Backend = tfjsBackend({
  name: 'tfjs-wasm',
  registeredAs: 'wasm',
  packageName: '@tensorflow/tfjs-backend-wasm',
  load: () => import('@tensorflow/tfjs-backend-wasm'),
  lowerings: wasmLowerings,
  // Where they cannot run, nothing is registered, and the lowerings that need them are passed over.
  prepare: async backend => void (await loadKernelsAsync(backend)),
})
