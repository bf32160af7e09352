import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { of } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Dataset } from './dataset.js'

/** Images in memory, one after the other. */
export interface ArraysOptions {
  /** `[samples, height, width, channels]`: bytes from 0 to 255, or floats from 0 to 1. */
  readonly images: Uint8Array | Float32Array
  readonly labels: ArrayLike<number>
  /** Of one image. */
  readonly shape: readonly [height: number, width: number, channels: number]
  /** What the labels mean; 0, 1, … unless given. */
  readonly classes?: readonly string[]
  readonly name?: string
}

/**
 * A dataset of images that lie in memory already.
 *
 * Errors: `optionMalformed`, `noSamples`, `labelsMisfit`, `lengthMismatch`, `labelUnknown`.
 *
 * @example
 * fromArrays({ images: new Uint8Array(12), labels: [0, 1, 2], shape: [2, 2, 1] }) // Either<Problem, Dataset>
 */
export const fromArrays = ({ images, labels, shape, classes, name = 'arrays' }: ArraysOptions): Either<Problem, Dataset> => {
  const [height, width, channels] = shape
  if (!shape.every(size => Number.isSafeInteger(size) && size > 0)) return left(problem('optionMalformed', `${name}: the shape of an image must be of whole numbers from 1, not ${shape.join('×')}`))
  const each = height * width * channels
  if (labels.length === 0) return left(problem('noSamples', `${name}: holds no samples`))
  if (images.length % each === 0 && images.length / each !== labels.length) return left(problem('labelsMisfit', `${name}: ${images.length / each} images, but ${labels.length} labels`))
  if (images.length !== labels.length * each) return left(problem('lengthMismatch', `${name}: ${images.length} values are not ${labels.length} images of ${shape.join('×')}`, { expected: `${labels.length * each} values`, actual: `${images.length} values` }))
  const numbers = Int32Array.from(labels)
  const named = classes ?? Array.from({ length: numbers.reduce((most, label) => Math.max(most, label), 0) + 1 }, (_, label) => `${label}`)
  const wrong = numbers.findIndex((label, i) => label < 0 || label >= named.length || label !== labels[i])
  if (wrong >= 0) return left(problem('labelUnknown', `${name}: sample ${wrong} has the label ${labels[wrong]}, which is none of ${named.length} classes`))
  return right({
    name,
    classes: named,
    size: labels.length,
    labels: numbers,
    item: index => of({ label: numbers[index]!, name: `${name} ${index}`, image: { height, width, channels, pixels: images.subarray(index * each, (index + 1) * each) } }),
  })
}
