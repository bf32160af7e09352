import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { ElementwiseStep, GeluForm } from '../../../ops/tensor.js'
import type { Shape } from '../../../shape/shape.js'
import type { Tfjs } from '../device.js'
import { elementwise, gelu } from './elementwise.js'
import { layerNorm, softmax } from './rows.js'
import type { WebglBackend } from './shader.js'

type Inputs = Readonly<Record<string, TensorInfo>> & readonly TensorInfo[]
type Run = (backend: WebglBackend, inputs: Inputs, attrs: Readonly<Record<string, unknown>>) => TensorInfo

/** What takes tfjs's own kernels several programs each, by the names under which lowerings ask for it. */
const kernels: Readonly<Record<string, Run>> = {
  ShaderLayerNorm: (backend, { x, gamma, beta }, { epsilon }) => layerNorm(backend, gamma === undefined || beta === undefined ? { x: x! } : { x: x!, gamma, beta }, epsilon as number),
  ShaderSoftmax: (backend, { x }) => softmax(backend, x!),
  ShaderGelu: (backend, { x }, { form }) => gelu(backend, x!, form as GeluForm),
  ShaderElementwise: (backend, inputs, { steps, shape }) => elementwise(backend, inputs, steps as readonly ElementwiseStep[], shape as Shape),
}

/**
 * Gives a webgl backend of tfjs programs of ours for what most of a transformer's launches are.
 *
 * Worth: ViT-Ti takes 290 programs an image instead of 940, besides those that upload its weights at the first. How much time
 * that is has not been measured on a GPU.
 */
export const registerShaders = (tf: Tfjs, backendName: string): void => {
  for (const [kernelName, run] of Object.entries(kernels))
    if (tf.getKernel(kernelName, backendName) === undefined)
      tf.registerKernel({ kernelName, backendName, kernelFunc: ({ inputs, attrs, backend }) => run(backend as WebglBackend, inputs as never, (attrs ?? {}) as never) })
}
