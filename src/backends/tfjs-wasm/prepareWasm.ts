import { problem, type Problem } from '../../shape/problem.js'
import type { Tfjs } from '../tfjs/device.js'
import { hasSimd } from '../wasm/kernels/features.js'
import { loadKernelsAsync } from './load.js'
import { registerSlices } from './slices.js'

/** Our kernels on a tfjs wasm backend; where they cannot run, the best that can be made of tfjs's own, and a notice of it. Errors, as that notice: `kernelsAbsent`. */
export const prepareWasm = async (backend: object, tf: Tfjs): Promise<Problem | undefined> => {
  const why = await failure(backend)
  if (why === undefined) return undefined
  registerSlices(tf)
  return problem('kernelsAbsent', `tfjs-wasm: the kernels of this library cannot run here (${why}); tfjs's own do the work, at about half the speed`, {
    remedy: "import { wasm } from 'vitrail/backends/wasm', which has a memory of its own, or a newer browser, Node or @tensorflow/tfjs-backend-wasm",
  })
}

const failure = async (backend: object): Promise<string | undefined> => {
  if (!hasSimd()) return 'this runtime has no WebAssembly SIMD'
  try {
    return (await loadKernelsAsync(backend)) === undefined ? "the memory of this version of tfjs's wasm backend cannot be reached" : undefined
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}
