import { add, constant, detach, dropMask, log, multiply, scalar, sigmoid, step, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** Bits of a random number: as many as keep it and its distance from 1 exact in single precision. */
const bits = 22

/**
 * The difference of two Gumbel numbers, which is logistic: `log u − log(1 − u)`, `[places, 1]`, `u` being drawn bit by
 * bit from a random stream.
 *
 * @example
 * logisticNoise('decision', 196).shape // [196, 1]
 */
export const logisticNoise = (stream: string, places: number): Tensor => {
  // A bit of the mask is 0 or 2; the last half keeps u off both ends.
  const weights = constant(Float32Array.from({ length: bits }, (_, i) => 2 ** -(i + 2)), [1, bits])
  const uniform = add(sum(multiply(dropMask(stream, 0.5, [places, bits]), weights), [1], true), scalar(2 ** -(bits + 1)))
  return subtract(log(uniform), log(subtract(scalar(1), uniform)))
}

/**
 * Which tokens are kept, 1 or 0: the hard Gumbel softmax of two classes, keep and drop, whose gradient is that of the
 * soft one (Jang et al., 2017, section 2.2; Rao et al., 2021, section 3.3). `[tokens, 1], [tokens, 1] → [tokens, 1]`.
 *
 * @param advantage the score of keeping less that of dropping
 * @param noise the Gumbel number of keeping less that of dropping (default: none, so that the better score decides)
 *
 * @example
 * keepDecision(ops.input('advantage', [196, 1]), undefined, 1).shape // [196, 1]
 */
export const keepDecision = (advantage: Tensor, noise: Tensor | undefined, temperature: number): Tensor => {
  const perturbed = noise === undefined ? advantage : add(advantage, noise)
  const soft = sigmoid(multiply(perturbed, scalar(1 / temperature)))
  return add(step(perturbed), subtract(soft, detach(soft)))
}
