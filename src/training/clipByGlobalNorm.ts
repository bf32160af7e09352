import { add, divide, minimum, multiply, scalar, sqrt, sum } from '../ops/ops.js'
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
  const squares = gradients.map(g => sum(multiply(g, g), g.shape.map((_, axis) => axis)))
  const norm = sqrt(squares.reduce<Tensor>((a, b) => add(a, b), scalar(0)))
  const factor = minimum(scalar(1), divide(scalar(maxNorm), add(norm, scalar(1e-6))))
  return { gradients: gradients.map(g => multiply(g, factor)), norm }
}
