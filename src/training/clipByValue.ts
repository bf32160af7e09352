import { maximum, minimum, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'

/**
 * Gradients with every number brought into `[−limit, limit]`, as PyTorch's `clip_grad_value_`. `[...]… → [...]…`.
 *
 * @example
 * clipByValue([ops.parameter('w', [3], { kind: 'zeros' })], 0.5).length // 1
 */
export const clipByValue = (gradients: readonly Tensor[], limit: number): readonly Tensor[] => gradients.map(g => maximum(scalar(-limit), minimum(g, scalar(limit))))
