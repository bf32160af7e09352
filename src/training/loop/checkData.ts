import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { isTensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { showFields } from '../../shape/shape.js'
import type { Dataset, SampleStream } from '../data/dataset.js'
import type { Aim } from '../objectives/objective.js'

/** What images are made into. */
export type ImageShape = readonly [height: number, width: number, channels: number]

/**
 * Whether a model fits data: it takes images, and tells as many classes apart as the data have, if classes are what it is for. Gives the shape of its
 * images. Errors: `notAnImageModel`, `classesMisfit`.
 */
export const checkData = ({ image, numClasses }: Pick<Aim, 'image' | 'numClasses'>, { name, classes }: Dataset | SampleStream): Either<Problem, ImageShape> => {
  if (!isTensor(image) || image.shape.length !== 3 || image.dtype !== 'float32') return left(problem('notAnImageModel', `the model takes ${isTensor(image) ? showFields(shapeOfSignal(image)) : 'a record'}, not an image of height, width and channels`))
  if (numClasses !== undefined && classes.length !== numClasses) {
    return left(
      problem('classesMisfit', `${name}: has ${classes.length} classes, but the model tells ${numClasses} apart`, {
        expected: `${numClasses} classes`,
        actual: `${classes.length} classes`,
        remedy: `give the model another head: replaceHead(model, ${classes.length}), or the option numClasses: ${classes.length} of a recipe`,
      }),
    )
  }
  return right(image.shape as unknown as ImageShape)
}
