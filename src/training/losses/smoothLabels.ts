import { add, multiply, scalar } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * Label smoothing (Szegedy et al., 2016, section 7): `(1 − s)·targets + s / numClasses`,
 * `[..., numClasses] → [..., numClasses]`.
 *
 * @param smoothing the share `s` that is spread over all classes, from 0 to 1
 *
 * @example
 * smoothLabels(ops.input('targets', [10]), 0.1).shape // [10]
 */
export const smoothLabels = (targets: Tensor, smoothing: number): Tensor =>
  smoothing === 0 ? targets : add(multiply(targets, scalar(1 - smoothing)), scalar(smoothing / (targets.shape.at(-1) as number)))
