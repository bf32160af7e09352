import { formulaWeights } from '../../../weights/formulaWeights.js'
import { fans } from '../../../weights/fans.js'
import type { Tensor } from '../../../ops/tensor.js'

/**
 * Values for a parameter with which a fault shows: none is neutral (a scale of 1, a bias of 0, a LayerScale of 1e-5),
 * and signals keep their size through them. They depend on name, shape and seed alone; variances stay positive.
 */
export const lively = ({ attributes: { name, initialiser, role }, shape }: Tensor<'parameter'>, seed: number): Float32Array => {
  const { kind } = initialiser
  if (kind === 'ones') return formulaWeights(name, shape, role === 'buffer' ? 1.1 : 1, 0.4, seed)
  if (kind === 'constant') return formulaWeights(name, shape, 0.7, 0.4, seed)
  if (kind === 'zeros') return formulaWeights(name, shape, 0, 0.4, seed)
  // Tokens and tables of positions, [1, tokens, dim], are added and not multiplied with.
  return formulaWeights(name, shape, 0, shape[0] === 1 && shape.length > 1 ? 0.8 : Math.sqrt(3 / Math.max(1, fans(shape).fanIn)), seed)
}
