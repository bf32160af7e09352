import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import { oneOf, readNamed, rules, type Kind } from '../readNamed.js'
import { binaryCrossEntropy, type BinaryCrossEntropyOptions } from './binaryCrossEntropy.js'
import { crossEntropy, type CrossEntropyOptions } from './crossEntropy.js'
import { focal, type FocalOptions } from './focal.js'
import { meanSquared } from './meanSquared.js'
import { sigmoidFocal, type SigmoidFocalOptions } from './sigmoidFocal.js'
import { smoothFocal, type SmoothFocalOptions } from './smoothFocal.js'

/** A loss with its options filled in: `(outputs, targets) → []`. */
export type Loss = (outputs: Tensor, targets: Tensor) => Tensor

const smoothing = { smoothing: rules.share }
const focusing = { gamma: rules.amount, alpha: rules.weights }

const kinds: Readonly<Record<string, Kind<Loss>>> = {
  crossEntropy: { optional: smoothing, make: (options: CrossEntropyOptions) => right((outputs, targets) => crossEntropy(outputs, targets, options)) },
  binaryCrossEntropy: { optional: { ...smoothing, threshold: rules.share, classes: oneOf('mean', 'sum') }, make: (options: BinaryCrossEntropyOptions) => right((outputs, targets) => binaryCrossEntropy(outputs, targets, options)) },
  focal: { optional: focusing, make: (options: FocalOptions) => right((outputs, targets) => focal(outputs, targets, options)) },
  sigmoidFocal: { optional: { gamma: rules.amount, alpha: rules.any }, make: (options: SigmoidFocalOptions) => right((outputs, targets) => sigmoidFocal(outputs, targets, options)) },
  smoothFocal: { optional: { ...smoothing, ...focusing, share: rules.share }, make: (options: SmoothFocalOptions) => right((outputs, targets) => smoothFocal(outputs, targets, options)) },
  meanSquared: { make: () => right(meanSquared) },
}

/**
 * The loss of outputs and targets that `{ name, config }` describes, as a training configuration in JSON names it.
 *
 * Errors: `notNamed`, `unknownName`, `unknownOption`, `badOption`.
 *
 * @example
 * lossOf({ name: 'crossEntropy', config: { smoothing: 0.1 } }) // Either<Problem, Loss>
 */
export const lossOf = (given: unknown): Either<Problem, Loss> => readNamed('loss', kinds, given)
