import { right } from 'fp-ts/lib/Either.js'
import type { Weights } from '../../backends/loadOnce.js'
import { parametersOf, type Graph } from '../../graph/graph.js'
import { initialise } from '../../weights/initialise.js'

/** Fresh weights for a graph, each parameter drawn from its own initialiser; the same for a seed everywhere. */
export const seededWeights = (graph: Graph, seed: number): Weights => {
  const initialisers = new Map(parametersOf(graph).map(({ attributes: { name, initialiser } }) => [name, initialiser]))
  return (name, shape) => async () => right(initialise(initialisers.get(name)!, shape, seed, name))
}
