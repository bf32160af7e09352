import { right, type Either } from 'fp-ts/lib/Either.js'
import { parametersOf } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import type { Problem } from '../shape/problem.js'
import { initialise } from './initialise.js'

/**
 * New weights for every parameter of a model, each from its own initialiser. The same seed gives the same
 * weights on every machine, whatever else the model holds: a parameter's values depend on its name and shape.
 *
 * Errors: those of `trace`.
 *
 * @example
 * initialWeights(pipe(input(192), linear(10)), 1) // Either<Problem, ReadonlyMap<string, Float32Array>>
 */
export const initialWeights = <I, S>(model: Model<I, S>, seed: number): Either<Problem, ReadonlyMap<string, Float32Array>> => {
  const graph = trace(model as AnyModel)
  if (graph._tag === 'Left') return graph
  return right(new Map(parametersOf(graph.right).map(({ attributes: { name, initialiser }, shape }) => [name, initialise(initialiser, shape, seed, name)])))
}
