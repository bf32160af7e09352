import { add, constant, detach, maximum, minimum, multiply, relu, scalar, step, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** A grid of whole numbers that values are brought to. */
export interface QuantisationGrid {
  /** What one step of the grid is worth: one number, or one for each slice along an axis. */
  readonly scale: number | readonly number[]
  /** The whole number that stands for 0 (default 0): one, or one for each slice along an axis. */
  readonly zeroPoint?: number | readonly number[]
  /** The smallest and the largest whole number (default `[-128, 127]`). */
  readonly range?: readonly [least: number, most: number]
  /** The axis along which scales and zero points differ (default the last). */
  readonly axis?: number
}

/**
 * Values as they are once they have been stored as whole numbers: `scale · clamp(round(x / scale), range − zeroPoint)`,
 * halves going to the even neighbour (Jacob et al., 2018, "Quantization and training of neural networks for efficient
 * integer-arithmetic-only inference", equation 12). `[...] → [...]`. The gradient passes straight through inside the range,
 * and not at all outside (Bengio et al., 2013, section 4).
 *
 * @example
 * fakeQuantised(ops.input('x', [3]), { scale: 0.1 }).shape // [3]
 */
export const fakeQuantised = (x: Tensor, { scale, zeroPoint = 0, range = [-128, 127], axis = x.shape.length - 1 }: QuantisationGrid): Tensor => {
  const each = (values: number | readonly number[], f: (value: number) => number): Tensor =>
    typeof values === 'number' ? scalar(f(values)) : constant(Float32Array.from(values, f), x.shape.map((size, i) => (i === axis ? size : 1)))
  const [least, most] = [each(zeroPoint, zero => range[0] - zero), each(zeroPoint, zero => range[1] - zero)]
  const widest = Math.max(...[zeroPoint].flat().flatMap(zero => [zero - range[0], range[1] - zero])) + 1
  // As PyTorch: multiplied by the inverse in single precision, not divided.
  const steps = multiply(x, each(scale, value => Math.fround(1 / Math.fround(value))))
  // One whole number more on either side tells what is outside.
  const whole = rounded(minimum(maximum(steps, subtract(least, scalar(1))), add(most, scalar(1))), widest)
  const stored = multiply(minimum(maximum(whole, least), most), each(scale, value => value))
  const kept = multiply(x, detach(subtract(subtract(scalar(1), step(subtract(whole, most))), step(subtract(least, whole)))))
  // What is added is 0, and has the gradient.
  return add(detach(stored), subtract(kept, detach(kept)))
}

/** 1 where a value is at least a number, else 0. */
const reaches = (x: Tensor, least: number): Tensor => subtract(scalar(1), step(subtract(scalar(least), x)))

/** Rounded to whole numbers of at most `most`, halves to even ones: bit by bit of the magnitude, which is exact. */
const rounded = (x: Tensor, most: number): Tensor => {
  let rest: Tensor = add(relu(x), relu(multiply(x, scalar(-1))))
  let whole: Tensor = multiply(rest, scalar(0))
  let odd: Tensor = whole
  for (let bit = 2 ** Math.floor(Math.log2(Math.max(1, most))); bit >= 1; bit /= 2) {
    odd = reaches(rest, bit)
    whole = add(whole, multiply(odd, scalar(bit)))
    rest = subtract(rest, multiply(odd, scalar(bit)))
  }
  const [above, from] = [step(subtract(rest, scalar(0.5))), reaches(rest, 0.5)]
  const up = add(above, multiply(subtract(from, above), odd))
  return multiply(add(whole, up), subtract(step(x), step(multiply(x, scalar(-1)))))
}
