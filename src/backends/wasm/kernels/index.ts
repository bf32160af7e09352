export { hasRelaxedSimd } from './features.js'
export type { Kernels } from './instance.js'
export { loadKernels } from './load.js'
export type { Activation, UnaryFunction } from './native.js'
