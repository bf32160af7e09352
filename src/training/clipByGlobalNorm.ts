import { add, divide, minimum, multiply, scalar, sqrt, squareSum } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'

/**
 * Gradients made no longer, all together, than `maxNorm`, as PyTorch's `clip_grad_norm_`: each is multiplied by
 * `min(1, maxNorm / (norm + 1e-6))`, where `norm []` is the root of the sum of all squares. Their directions stay.
 * `[...]… → [...]…`.
 *
 * @example
 * clipByGlobalNorm([ops.parameter('w', [3], { kind: 'zeros' })], 1).norm.shape // []
 */
export const clipByGlobalNorm = (gradients: readonly Tensor[], maxNorm: number): { readonly gradients: readonly Tensor[]; readonly norm: Tensor } => {
  const norm = sqrt(gradients.length === 0 ? scalar(0) : squareSum(gradients))
  const factor = minimum(scalar(1), divide(scalar(maxNorm), add(norm, scalar(1e-6))))
  return { gradients: gradients.map(g => multiply(g, factor)), norm }
}
