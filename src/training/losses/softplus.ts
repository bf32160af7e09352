import { add, exp, log, multiply, relu, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * `log(1 + eˣ)`, `[...] → [...]`, as the logarithm of `e⁰ + eˣ` with the larger of both taken out first: nothing
 * overflows, and the derivative is `sigmoid(x)` at 0 too, whatever that of `relu` is there.
 *
 * @example
 * softplus(ops.input('x', [10])).shape // [10]
 */
export const softplus = (x: Tensor): Tensor => {
  const larger = relu(x)
  return add(larger, log(add(exp(subtract(x, larger)), exp(multiply(scalar(-1), larger)))))
}
