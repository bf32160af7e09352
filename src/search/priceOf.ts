import { map, type Either } from 'fp-ts/lib/Either.js'
import { multiplyAdds, parameterCount } from '../graph/cost.js'
import type { Graph } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import type { AnyModel } from '../layers/core/model.js'
import type { Problem } from '../shape/problem.js'

/** What a model costs: parameters, and multiply-adds of one sample. */
export interface Price {
  readonly params: number
  readonly macs: number
}

/**
 * What a model costs, read off its graph: nothing is allocated or run. Errors: those of `trace`.
 *
 * @example
 * priceOf(pipe(input(4), linear(3))) // right({ params: 15, macs: 12 })
 */
export const priceOf = (model: AnyModel): Either<Problem, Price> => map(({ parameters, nodes }: Graph) => ({ params: parameterCount(parameters), macs: multiplyAdds(nodes).total }))(trace(model))
