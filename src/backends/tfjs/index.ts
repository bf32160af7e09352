import type { Backend } from '../device.js'
import { registerSlices } from '../tfjs-wasm/slices.js'
import type { Tfjs } from './device.js'
import { openTfjs } from './openTfjs.js'
import { registerShaders } from './webgl/registerShaders.js'
import { runsGlsl } from './webgl/shader.js'

/** What a backend can be given to be faster, by what it can do. */
const prepare = (name: string, backend: object, tf: Tfjs): void => {
  if (name === 'wasm') registerSlices(tf)
  if (runsGlsl(backend)) registerShaders(tf, name)
}

/**
 * Any backend that tfjs has, by tfjs's own name for it. Import the package that registers it, and hand this to `compile`:
 *
 *     import '@tensorflow/tfjs-backend-webgl'
 *     import { tfjsBackend } from 'vitrail/backends/tfjs'
 *     const program = await compile(model, { backend: tfjsBackend('webgl'), weights })()
 *
 * Every op runs by the best of its ways whose kernels that backend has registered. Opening it leaves the active backend of
 * your program as it was; tensors of any backend go in. For wasm `vitrail/backends/tfjs-wasm` is faster: it brings kernels.
 *
 * Errors, when it is opened: `backendAbsent` where tfjs has none of that name; `backendBroken` where it does not start.
 *
 * @example
 * tfjsBackend('webgl').name // 'webgl'
 */
export const tfjsBackend = (name: string): Backend =>
  openTfjs({ name, registeredAs: name, prepare: async (backend, tf) => void prepare(name, backend, tf) })
