import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isComputed, parametersOf } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import type { Mode } from '../layers/core/layer.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { matchWeights } from './matchWeights.js'
import type { Safetensors } from './safetensors.js'

/** Options of {@link loadWeights}. */
export interface LoadOptions {
  /** Names in the file that the model does not want, and no matter. */
  readonly ignore?: (name: string) => boolean
  /** `training` also wants what only training reads (default `inference`). */
  readonly mode?: Mode
}

/**
 * The weights of a model from an open safetensors file, checked by name and shape at once and then read one
 * by one as `compile` asks for them. What the model computes itself (masks, index tables) is left alone.
 *
 * Errors: those of `trace`; `weightsMisfit`, with every missing, unexpected and mis-shaped name.
 *
 * @example
 * loadWeights(file, vitTiny) // Either<Problem, (name: string, shape: Shape) => TaskEither<Problem, Float32Array>>
 */
export const loadWeights = <I, S>(file: Safetensors, model: Model<I, S>, options: LoadOptions = {}): Either<Problem, (name: string, shape: Shape) => TaskEither<Problem, Float32Array>> => {
  const graph = trace(model as AnyModel, { mode: options.mode ?? 'inference' })
  if (graph._tag === 'Left') return graph
  const matched = matchWeights(parametersOf(graph.right).map(({ attributes, shape }) => ({ name: attributes.name, shape })), file.tensors, { ignore: name => isComputed(graph.right, name) || options.ignore?.(name) === true })
  if (matched._tag === 'Left') return left(matched.left)
  return right(name => async () => {
    const read = await file.read(name)()
    if (read._tag === 'Left') return read
    const { data } = read.right
    return data instanceof Float32Array ? right(data) : left(problem('weightMisfit', `weights: '${name}' holds ${read.right.dtype}, but a weight must be floats`))
  })
}
