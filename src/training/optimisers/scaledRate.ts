import { multiply, scalar } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** The rate of one parameter, `[] → []`. */
export const scaledRate = (rate: Tensor, scale: number): Tensor => (scale === 1 ? rate : multiply(rate, scalar(scale)))
