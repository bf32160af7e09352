import type { InputSpec } from '../../layers/core/model.js'
import { sizeOf } from '../../shape/shape.js'
import { formulaWeights } from '../../weights/formulaWeights.js'

/** Made-up input for a model: floats from −1 to 1, the same for a seed everywhere; zeros where it takes integers, since 0 is a row of every table. */
export const sampleInput = (spec: InputSpec, batch: number, seed = 0, name = 'x'): unknown => {
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([field, inner]) => [field, sampleInput(inner, batch, seed, field)]))
  const shape = [batch, ...spec.shape]
  return spec.dtype === 'int32' ? new Int32Array(sizeOf(shape)) : formulaWeights(name, shape, 0, 1, seed)
}
