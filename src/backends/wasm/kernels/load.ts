import { getKernel, registerKernel } from '@tensorflow/tfjs-core'
import { attention, packedAttention, tokenAttention } from './attention.js'
import { slice, transpose } from './copy.js'
import { geluGradient, layerNormGradient, softmaxGradient, sumAxes, weightGradient } from './gradients.js'
import { convolutionInputGradient, convolutionWeightGradient, depthwiseInputGradient, depthwiseWeightGradient, maxPoolGradient } from './images.js'
import type { Attributes, Implementation, Inputs } from './implementation.js'
import { kernelsOf, kernelsOfAsync, type KernelOptions, type Kernels } from './instance.js'
import { linear, matMul, pack } from './product.js'
import { layerNorm, softmax, unary } from './rows.js'

/** Every kernel, by the name under which `tf.engine().runKernel` finds it on the wasm backend. */
export const implementations: Readonly<Record<string, Implementation>> = {
  VitrailPack: pack,
  VitrailLinear: linear,
  VitrailMatMul: matMul,
  VitrailLayerNorm: layerNorm,
  VitrailUnary: unary,
  VitrailSoftmax: softmax,
  VitrailAttention: attention,
  VitrailTokenAttention: tokenAttention,
  VitrailPackedAttention: packedAttention,
  VitrailSlice: slice,
  VitrailTranspose: transpose,
  VitrailSum: sumAxes,
  VitrailGeluGradient: geluGradient,
  VitrailSoftmaxGradient: softmaxGradient,
  VitrailLayerNormGradient: layerNormGradient,
  VitrailWeightGradient: weightGradient,
  VitrailConvolutionInputGradient: convolutionInputGradient,
  VitrailConvolutionWeightGradient: convolutionWeightGradient,
  VitrailDepthwiseInputGradient: depthwiseInputGradient,
  VitrailDepthwiseWeightGradient: depthwiseWeightGradient,
  VitrailMaxPoolGradient: maxPoolGradient,
}

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
