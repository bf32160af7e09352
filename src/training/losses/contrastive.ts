import { add, detach, divide, exp, log, matmul, max, mean, multiply, reshape, scalar, sqrt, subtract, sum, transpose } from '../../ops/ops.js'
import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'
import { average } from './average.js'
import type { CrossEntropyOptions } from './crossEntropy.js'
import { sameShapes } from './sameShapes.js'

/**
 * How alike each image is to each text: cosines times `scale`, `[images, dim], [texts, dim], [] → [images, texts]`.
 * CLIP learns `scale = exp(logitScale)`, ALIGN learns the temperature `1 / scale`.
 *
 * Like an op, it throws an `OpError` where the channels differ.
 *
 * @example
 * similarities(ops.input('images', [8, 512]), ops.input('texts', [5, 512]), ops.scalar(14.3)).shape // [8, 5]
 */
export const similarities = (images: Tensor, texts: Tensor, scale: Tensor): Tensor => {
  if (images.shape.length !== 2 || texts.shape.length !== 2) throw new OpError(`contrastive: expects samples×dim, with the samples to compare on an axis of their own, got ${show(images.shape)}`)
  if (images.shape[1] !== texts.shape[1]) throw new OpError(`contrastive: images are ${show(images.shape)}, but texts are ${show(texts.shape)}`)
  return multiply(scale, matmul(unit(images), unit(texts), { transposeB: true }))
}

const unit = (x: Tensor): Tensor => divide(x, sqrt(sum(multiply(x, x), [1], true)))

/** Options of {@link contrastive}. */
export interface ContrastiveOptions extends CrossEntropyOptions {
  /** Whether both directions are added up (ALIGN's paper) or averaged (CLIP; the default). */
  readonly both?: 'mean' | 'sum'
}

/**
 * Pairs of images and texts told from each other (Radford et al., 2021, CLIP, figure 3; Jia et al., 2021, ALIGN, section
 * 4.2, with smoothing 0.1): cross-entropy of {@link similarities} with the diagonal, from image to text and back.
 * `[samples, dim], [samples, dim], [] → []`.
 *
 * The samples that are compared are an axis, since a sample of a batch does not see the others. `vectorise` lifts an
 * encoder of one sample over such an axis, as long as it has no convolution.
 * Like an op, it throws an `OpError` where the shapes differ.
 *
 * @example
 * contrastive(ops.input('images', [8, 512]), ops.input('texts', [8, 512]), ops.exp(ops.scalar(2.66))).shape // []
 */
export const contrastive = (images: Tensor, texts: Tensor, scale: Tensor, { both = 'mean', smoothing = 0 }: ContrastiveOptions = {}): Tensor => {
  sameShapes('contrastive', ['images', 'texts'], images, texts)
  const logits = similarities(images, texts, scale)
  // The diagonal on its own: as a table of targets it would be as large as the logits.
  const pairs = multiply(scale, sum(multiply(unit(images), unit(texts)), [1]))
  const total = add(told(logits, pairs, smoothing), told(transpose(logits, [1, 0]), pairs, smoothing))
  return both === 'sum' ? total : multiply(scalar(0.5), total)
}

/** Cross-entropy of each row with its own pair, and a share of it with all: `mean(log Σ exp − (1 − s)·pair − s·mean)`. */
const told = (logits: Tensor, pairs: Tensor, smoothing: number): Tensor => {
  const highest = detach(max(logits, [1], true))
  const all = add(reshape(highest, pairs.shape), log(sum(exp(subtract(logits, highest)), [1])))
  const right = smoothing === 0 ? pairs : add(multiply(pairs, scalar(1 - smoothing)), multiply(mean(logits, [1]), scalar(smoothing)))
  return average(subtract(all, right))
}
