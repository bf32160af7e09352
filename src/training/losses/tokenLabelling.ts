import { add, constant, multiply, reshape, scalar, subtract, sum } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { crossEntropy } from './crossEntropy.js'
import { ofLargest } from './ofLargest.js'

/** What a sample should give. */
export interface ImageLabels {
  /** The distribution of the whole image, `[numClasses]`. */
  readonly image: Tensor
  /** What a person said it is, `[numClasses]`, by which the label of the image is put right. */
  readonly truth?: Tensor
}

/** Options of {@link tokenLabelling}. */
export interface TokenLabellingOptions {
  /** The distribution of each token, `[tokens, numClasses]` (default: the image's for all). */
  readonly tokens?: Tensor
  /**
   * MixToken: the labels of the sample each one was mixed with, and how much of its own is left, `lambda []`, from 0
   * to 1. Those of the tokens stay, since the model puts their outputs back in place.
   */
  readonly mixed?: { readonly labels: ImageLabels; readonly lambda: Tensor }
  readonly imageWeight?: number
  readonly tokenWeight?: number
}

/**
 * Token labelling (Jiang et al., 2021, "All tokens matter", section 3.2): cross-entropy of the class token with the
 * image's label, and of every other token with a label of its own; both weights are 1 unless given.
 * `[numClasses], [tokens, numClasses] → []`.
 *
 * With `truth`, the image's label is its mean with the truth, weighted as in the authors' code: half and half where both
 * prefer the same class, nine to one where they do not.
 *
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * tokenLabelling(ops.input('image', [10]), ops.input('tokens', [9, 10]), { image: ops.input('label', [10]) }, { tokenWeight: 0.5 }).shape // []
 */
export const tokenLabelling = (image: Tensor, tokens: Tensor, labels: ImageLabels, { tokens: tokenLabels, mixed, imageWeight = 1, tokenWeight = 1 }: TokenLabellingOptions = {}): Tensor => {
  const own = corrected(labels)
  const target = mixed === undefined ? own : add(multiply(mixed.lambda, own), multiply(subtract(scalar(1), mixed.lambda), corrected(mixed.labels)))
  const each = tokenLabels ?? onEach(labels.image, tokens.shape[0] as number)
  return add(multiply(scalar(imageWeight), crossEntropy(image, target)), multiply(scalar(tokenWeight), crossEntropy(tokens, each)))
}

const corrected = ({ image, truth }: ImageLabels): Tensor => {
  if (truth === undefined) return image
  const agreement = sum(multiply(ofLargest(truth), ofLargest(image)), [0], true)
  const share = subtract(scalar(0.9), multiply(scalar(0.4), agreement))
  return add(multiply(share, image), multiply(subtract(scalar(1), share), truth))
}

const onEach = (label: Tensor, tokens: number): Tensor => multiply(reshape(label, [1, ...label.shape]), constant(new Float32Array(tokens).fill(1), [tokens, 1]))
