import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { showFields } from '../../shape/shape.js'

/**
 * The logits that a classifier gives, `[numClasses]`. Errors: `notAClassifier`.
 *
 * @example
 * logitsOf({ output: ops.input('logits', [10]) }).right.shape // [10]
 */
export const logitsOf = ({ output }: Pick<Graph, 'output'>): Either<Problem, Tensor> =>
  isTensor(output) && output.batched && output.shape.length === 1 ? right(output) : left(problem('notAClassifier', `train: the model gives ${showFields(shapeOfSignal(output))}, not one number for each class`, { remedy: 'end it with a pooling or takeToken, and a linear layer' }))
