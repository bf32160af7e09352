import { getKernel, registerKernel } from '@tensorflow/tfjs-core'
import type { Attributes, Inputs } from '../wasm/kernels/implementation.js'
import { implementations } from '../wasm/kernels/implementations.js'
import type { Kernels } from '../wasm/kernels/kernels.js'
import { kernelsOf, kernelsOfAsync, type KernelOptions } from './instance.js'

/**
 * Instantiates the kernels on the memory of a tfjs wasm backend and registers them with tfjs. Undefined where they
 * cannot run (another backend, a runtime without SIMD): nothing is registered then. Calling it again is harmless, and
 * with another `relaxedSimd` changes which binary runs.
 *
 * This compiles synchronously, which browsers may refuse outside a worker: there, await {@link loadKernelsAsync}.
 */
export const loadKernels = (backend: object, options: KernelOptions = {}): Kernels | undefined =>
  registered(kernelsOf(backend, options))

/** {@link loadKernels} without blocking the calling thread. */
export const loadKernelsAsync = async (backend: object, options: KernelOptions = {}): Promise<Kernels | undefined> =>
  registered(await kernelsOfAsync(backend, options))

const registered = (kernels: Kernels | undefined): Kernels | undefined => {
  if (kernels === undefined) return undefined
  for (const [kernelName, implementation] of Object.entries(implementations)) {
    if (getKernel(kernelName, 'wasm') !== undefined) continue
    registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs, attrs, backend }) => {
        // asked each time: tfjs may have made a new wasm backend since
        const current = kernelsOf(backend)
        if (current === undefined) throw new Error(`${kernelName}: this wasm backend cannot run vitrail's kernels`)
        return implementation(current, inputs as Inputs, (attrs ?? {}) as Attributes)
      },
    })
  }
  return kernels
}
