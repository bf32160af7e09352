import { left, right, type Either } from 'fp-ts/lib/Either.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Signal, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Batch } from '../data/batch.js'
import { largest } from '../evaluate/tally.js'
import { oneHot } from '../losses/oneHot.js'
import { cutMix } from '../mixing/cutMix.js'
import { drawMix, type MixOptions } from '../mixing/drawMix.js'
import { mixUp } from '../mixing/mixUp.js'
import type { Chance } from './objective.js'

/** Class labels as a target, and images as they are to be for it. */
export interface Labelled {
  /** What is fed: class numbers, or where samples are mixed a distribution, `[numClasses]`. */
  readonly y: Tensor
  /** `[numClasses]`. */
  readonly targets: Tensor
  readonly feed: (batch: Batch, chance: Chance) => { readonly images: Float32Array; readonly y: Int32Array | Float32Array }
  /** How many of a batch have their largest logit where their target is largest. */
  readonly hits: (logits: Float32Array, y: Int32Array | Float32Array) => number
}

/**
 * Labels as a target, of samples that may be mixed with each other on the way. Errors: `notAnImageModel` (there is no
 * image to mix).
 *
 * @example
 * labelled(ops.input('x', [8, 8, 3]), 10, { mixUp: 0.8 }).right.y.shape // [10]
 */
export const labelled = (image: Signal, numClasses: number, mix: MixOptions = {}): Either<Problem, Labelled> => {
  const { mixUp: up = 0, cutMix: cut = 0 } = mix
  if (up === 0 && cut === 0) {
    const y = ops.input('@label', [], 'int32')
    return right({ y, targets: oneHot(y, numClasses), feed: ({ images, labels }) => ({ images, y: labels }), hits: (logits, given) => (given as Int32Array).reduce((sum, label, i) => sum + Number(best(logits, numClasses, i) === label), 0) })
  }
  if (!isTensor(image) || image.shape.length !== 3) return left(problem('notAnImageModel', 'train: only images can be mixed, and the model takes none'))
  const [height, width] = image.shape as readonly [number, number, number]
  const y = ops.input('@target', [numClasses])
  return right({
    y,
    targets: y,
    feed: ({ images, labels, size }, chance) => {
      const { lambda, box } = drawMix(mix, { height, width }, chance('mix'))
      const targets = distributions(labels, numClasses)
      if (lambda === 1) return { images, y: targets }
      return { images: box === undefined ? mixUp(images, size, lambda) : cutMix(images, size, { height, width }, box), y: mixUp(targets, size, lambda) }
    },
    hits: (logits, given) => Array.from({ length: logits.length / numClasses }, (_, i) => Number(best(logits, numClasses, i) === best(given as Float32Array, numClasses, i))).reduce((a, b) => a + b, 0),
  })
}

const best = (values: Float32Array, each: number, i: number): number => largest(values.subarray(i * each, (i + 1) * each))

const distributions = (labels: Int32Array, numClasses: number): Float32Array => {
  const targets = new Float32Array(labels.length * numClasses)
  labels.forEach((label, i) => (targets[i * numClasses + label] = 1))
  return targets
}
