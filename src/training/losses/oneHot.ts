import { constant, gather, minimum, multiply, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * Class numbers as distributions: `int32 [...] → [..., numClasses]`, 1 at the class and 0 elsewhere. A number that is
 * no class is refused when a batch is fed, like any row that a table does not have.
 *
 * @example
 * oneHot(ops.input('labels', [], 'int32'), 1000).shape // [1000]
 */
export const oneHot = (labels: Tensor, numClasses: number): Tensor => {
  // Two lists of the numbers 0, 1, …: an identity table would hold numClasses² numbers.
  const numbers = Float32Array.from({ length: numClasses }, (_, i) => i)
  const distance = subtract(gather(constant(numbers, [numClasses, 1]), labels), constant(numbers, [numClasses]))
  return subtract(scalar(1), minimum(multiply(distance, distance), scalar(1)))
}
