import type { Backend } from '../device.js'
import { openTfjs } from '../tfjs/openTfjs.js'
import { wasmLowerings } from '../wasm/lowerings.js'
import { prepareWasm } from './prepareWasm.js'

/**
 * TensorFlow.js in WebAssembly, with the kernels of `vitrail/backends/wasm` registered in it: ordinary tfjs tensors and our
 * own results lie in one memory. One thread. Works in Node as it is; in a bundle, tell tfjs first where its binaries are
 * (`setWasmPaths`), as for any use of it. Needs `@tensorflow/tfjs-backend-wasm`.
 *
 * Where our kernels cannot run, tfjs's do, in the order and form in which they are fast, and the program's `notice` says so.
 *
 * Errors: those of `openTfjs`; as a notice, `kernelsAbsent`.
 */
export const tfjsWasm: Backend = openTfjs({
  name: 'tfjs-wasm',
  registeredAs: 'wasm',
  packageName: '@tensorflow/tfjs-backend-wasm',
  load: () => import('@tensorflow/tfjs-backend-wasm'),
  lowerings: wasmLowerings,
  prepare: prepareWasm,
})
