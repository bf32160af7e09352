import { constant, gather, minimum, multiply, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * Class numbers as distributions: `int32 [...] → [..., numClasses]`, 1 at the class and 0 elsewhere. A number that is
 * no class is refused when a batch is fed, like any row that a table does not have; with `numLabels`, numbers from
 * `numClasses` up to it stand for no class, and give zeros.
 *
 * @example
 * oneHot(ops.input('labels', [], 'int32'), 1000).shape // [1000]
 */
export const oneHot = (labels: Tensor, numClasses: number, numLabels = numClasses): Tensor => {
  // Two lists of the numbers 0, 1, …: an identity table would hold numClasses² numbers.
  const upTo = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i)
  const distance = subtract(gather(constant(upTo(numLabels), [numLabels, 1]), labels), constant(upTo(numClasses), [numClasses]))
  return subtract(scalar(1), minimum(multiply(distance, distance), scalar(1)))
}
