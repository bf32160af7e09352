export { hasRelaxedSimd } from './features.js'
export type { KernelOptions, Kernels } from './instance.js'
export { loadKernels, loadKernelsAsync } from './load.js'
export type { Activation, UnaryFunction } from './native.js'
