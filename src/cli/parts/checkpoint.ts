import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Weights } from '../../backends/compile.js'
import { collectNodes, isComputed, parametersOf, type Graph } from '../../graph/graph.js'
import { tensorsOf } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { matchWeights } from '../../weights/matchWeights.js'
import type { Safetensors } from '../../weights/safetensors.js'
import { storedDtypes } from '../../weights/storedDtype.js'
import { fittingRecipes } from './fittingRecipes.js'

/**
 * A weight file as the weights of a graph, once all names and shapes agree. Left alone are integer buffers
 * (index tables, counters), what the model computes itself under the same name (the masks of shifted windows),
 * and what a recording holds beside its weights (`@in/x`).
 *
 * Errors: `weightsMisfit`, with every name at once and the published model that would fit, if one does.
 */
export const checkpoint = (file: Safetensors, graph: Graph): TaskEither<Problem, Weights> => async () => {
  // In training, the old running statistics lead to nothing but the new ones, which are features.
  const nodes = collectNodes([graph.output, ...graph.features.values()].flatMap(tensorsOf))
  const parameters = parametersOf({ nodes }).map(({ attributes: { name }, shape }) => ({ name, shape }))
  const held = new Map([...file.tensors].filter(([name, { dtype }]) => !name.startsWith('@') && storedDtypes[dtype].reads !== 'integer' && !isComputed(graph, name)))
  const matched = matchWeights(parameters, held)
  if (matched._tag === 'Left') {
    const fitting = fittingRecipes(held)
    return fitting.length === 0 ? matched : left(problem('weightsMisfit', matched.left.sentence, { ...matched.left, remedy: `these weights fit ${fitting.join(', ')}` }))
  }
  return right(name => async () => {
    const read = await file.read(name)()
    if (read._tag === 'Left') return read
    return read.right.data instanceof Float32Array ? right(read.right.data) : left(problem('weightsMisfit', `weights: '${name}' holds integers`))
  })
}
