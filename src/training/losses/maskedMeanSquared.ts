import { add, batchMean, divide, mean, multiply, scalar, sqrt, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { sameShapes } from './sameShapes.js'

/** Options of {@link maskedMeanSquared}. */
export interface MaskedMeanSquaredOptions {
  /** Whether each patch of the target is first brought to mean 0 and (unbiased) variance 1 (default no). */
  readonly normalisePixels?: boolean
}

/**
 * The loss of a masked autoencoder (He et al., 2022, section 3): the mean square error of the patches that were taken
 * away, where `mask` is 1. `[patches, pixels], [patches, pixels], [patches] → []`; `pixels` are the numbers of one
 * patch (see {@link patchify}).
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * maskedMeanSquared(ops.input('predicted', [196, 768]), losses.patchify(ops.input('x', [224, 224, 3]), 16), ops.input('mask', [196])).shape // []
 */
export const maskedMeanSquared = (predicted: Tensor, patches: Tensor, mask: Tensor, { normalisePixels = false }: MaskedMeanSquaredOptions = {}): Tensor => {
  sameShapes('maskedMeanSquared', ['predictions', 'patches'], predicted, patches)
  const errors = mean(square(subtract(predicted, normalisePixels ? normalised(patches) : patches)), [1])
  sameShapes('maskedMeanSquared', ['patches', 'mask'], errors, mask)
  return divide(total(multiply(errors, mask)), total(mask))
}

const normalised = (patches: Tensor): Tensor => {
  const { centre, spread } = patchMoments(patches)
  return divide(subtract(patches, centre), spread)
}

/** The mean of each patch and its unbiased deviation, `[patches, pixels] → [patches, 1]` both. */
export const patchMoments = (patches: Tensor): { readonly centre: Tensor; readonly spread: Tensor } => {
  const pixels = patches.shape[1] as number
  const centre = mean(patches, [1], true)
  const variance = divide(sum(square(subtract(patches, centre)), [1], true), scalar(pixels - 1))
  return { centre, spread: sqrt(add(variance, scalar(1e-6))) }
}

const square = (x: Tensor): Tensor => multiply(x, x)

/** The sum over patches; over the batch its mean, for the number of samples cancels out. */
const total = (x: Tensor): Tensor => (x.batched ? batchMean(sum(x, [0])) : sum(x, [0]))
