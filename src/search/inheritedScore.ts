import { map } from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { left } from 'fp-ts/lib/Either.js'
import type { Backend } from '../backends/device.js'
import type { AnyModel } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { evaluate, type Evaluated, type EvaluationData } from '../training/evaluate/evaluate.js'
import type { Candidate } from './candidate.js'
import { inheritedWeights } from './inheritedWeights.js'
import type { Score } from './search.js'

/** Options of {@link inheritedScore}. */
export interface InheritedScoreOptions {
  readonly backend: Backend
  readonly batchSize: number
  /** The seed of the training, where part of its data is evaluated (default 0). */
  readonly seed?: number
  readonly signal?: AbortSignal
}

/**
 * The score of one-shot searches: the share of images that a candidate gets right with the weights it has in the trained
 * whole, as they are (Chen et al., 2021, section 3.3). The images should be others than those the whole was trained on.
 * Errors: `badSpace` (there is no whole); those of `inheritedWeights` and `evaluate`.
 *
 * @example
 * typeof inheritedScore(pipe(input(2, 2, 1), globalPool(), linear(2)), new Map(), { samples: undefined }, { backend: wasm, batchSize: 8 }) // 'function'
 */
export const inheritedScore = <P>(whole: AnyModel | undefined, weights: ReadonlyMap<string, Float32Array>, data: EvaluationData, options: InheritedScoreOptions): Score<P> => ({ model }: Candidate<P>): TaskEither<Problem, number> => {
  if (whole === undefined) return async () => left(problem('badSpace', 'space: there is no whole that its models are parts of', { remedy: 'give one: defineSpace(choices, model, { whole })' }))
  const own = inheritedWeights(model, whole, weights)
  if (own._tag === 'Left') return async () => own
  return map(({ accuracy }: Evaluated) => accuracy)(evaluate(model, data, { ...options, weights: own.right }))
}
