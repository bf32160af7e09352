import { sizeOf } from '../shape/shape.js'

/**
 * How many inputs feed one output of a weight, and how many outputs one input feeds, as PyTorch's
 * `_calculate_fan_in_and_fan_out` counts: `[out, in]` for a linear layer, `[out, in/groups, kh, kw]` for a
 * convolution (whose fan-out is not divided by the groups either there). PyTorch refuses vectors and scalars;
 * here a missing axis counts as 1.
 *
 * @example
 * fans([96, 3, 16, 16]) // { fanIn: 768, fanOut: 24576 }
 */
export const fans = (shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } => {
  const [outputs = 1, inputs = 1, ...kernel] = shape
  const area = sizeOf(kernel)
  return { fanIn: inputs * area, fanOut: outputs * area }
}
