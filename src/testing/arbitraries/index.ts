/** `vitrail/testing/arbitraries`: generators for fast-check, which must be installed beside this package. */
export { architectures } from './architectures.js'
export { layersOn } from './layersOn.js'
export { broadcastFamilies, dims, headFactors, patchGrids, shapes, type BroadcastFamily, type HeadFactors, type PatchGrid } from './sizes.js'
export { signalsOf, tensorsOf, type TensorOptions } from './tensors.js'
export type { GrowOptions } from './grow.js'
