import type { Backend } from '../device.js'
import { tfjsBackend } from '../tfjs/open.js'
import { loadKernelsAsync } from './kernels/load.js'
import { wasmLowerings } from './lowerings.js'

/**
 * TensorFlow.js in WebAssembly, with SIMD kernels of our own for all that takes time. Works in Node as it
 * is; in a bundle, tell tfjs first where its binaries are (`setWasmPaths`), as for any use of it. Needs
 * `@tensorflow/tfjs-backend-wasm`.
 */
export const wasm: Backend = tfjsBackend({
  name: 'wasm',
  registeredAs: 'wasm',
  packageName: '@tensorflow/tfjs-backend-wasm',
  load: () => import('@tensorflow/tfjs-backend-wasm'),
  lowerings: wasmLowerings,
  // Where they cannot run, nothing is registered, and the lowerings that need them are passed over.
  prepare: async backend => void (await loadKernelsAsync(backend)),
})
