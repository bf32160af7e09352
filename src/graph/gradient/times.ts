import * as ops from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** A tensor times a number: `[...] → [...]`. */
export const times = (x: Tensor, factor: number): Tensor => ops.multiply(x, ops.scalar(factor))
