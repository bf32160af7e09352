import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { InputSpec } from '../../layers/core/model.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show } from '../../shape/shape.js'
import type { Dataset, SampleStream } from '../data/dataset.js'

/** What images are made into. */
export type ImageShape = readonly [height: number, width: number, channels: number]

/**
 * Whether a model fits data: it takes images, and tells as many classes apart as the data have. Gives the shape of its
 * images. Errors: `notAnImageModel`, `classesMisfit`.
 */
export const checkData = (input: InputSpec, numClasses: number, { name, classes }: Dataset | SampleStream): Either<Problem, ImageShape> => {
  if (!('shape' in input) || input.shape.length !== 3 || input.dtype !== 'float32') return left(problem('notAnImageModel', `the model takes ${'shape' in input ? show(input.shape) : 'a record'}, not an image of height, width and channels`))
  if (classes.length !== numClasses) {
    return left(
      problem('classesMisfit', `${name}: has ${classes.length} classes, but the model tells ${numClasses} apart`, {
        expected: `${numClasses} classes`,
        actual: `${classes.length} classes`,
        remedy: `give the model another head: replaceHead(model, ${classes.length}), or the option numClasses: ${classes.length} of a recipe`,
      }),
    )
  }
  return right(input.shape as unknown as ImageShape)
}
