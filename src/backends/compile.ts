import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Graph } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import type { Mode } from '../layers/core/layer.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import type { Signal } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Backend } from './device.js'
import type { Weights } from './loadOnce.js'
import { forward, Program } from './program.js'
import { openSession } from './openSession.js'

/** Options of {@link compile}. */
export interface CompileOptions {
  readonly backend: Backend
  readonly weights: Weights
  /** Inner outputs to keep, by layer path (`blocks.3.attn`) or tap name. */
  readonly features?: readonly string[]
  /** `training` lets dropout and its kin act (default `inference`). */
  readonly mode?: Mode
}

/**
 * A model made ready to run on a backend: traced, optimised, proved to have every kernel it needs, its
 * weights loaded and brought into the form the kernels want.
 *
 * Errors: those of `trace`; `noSuchFeature`; `missingKernels`; `missingWeight`, `weightMisfit`, `loadFailed`; those of the backend.
 *
 * @example
 * const program = await compile(vitTiny, { backend: wasm, weights })() // Either<Problem, Program<…>>
 */
export const compile = <I, S>(model: Model<I, S>, options: CompileOptions): TaskEither<Problem, Program<I, S>> => async () => {
  const traced = trace(model as AnyModel, { mode: options.mode ?? 'inference' })
  if (traced._tag === 'Left') return traced
  const kept = requested(traced.right, options.features ?? [])
  if (kept._tag === 'Left') return kept
  const [output, ...features] = kept.right as readonly [Signal, ...Signal[]]
  const named = Object.fromEntries((options.features ?? []).map((name, i) => [name, features[i]!]))
  const { inputs, parameters } = traced.right
  const session = await openSession({ [forward]: { inputs, outputs: { output, features: named } } }, options)()
  return session._tag === 'Left' ? session : right(new Program<I, S>(session.right, { inputs, output, features: named, parameters: parameters.map(p => p.attributes.name) }))
}

/** The graph's own output and the features asked for, or the names that are not among its features. */
const requested = (graph: Graph, features: readonly string[]): Either<Problem, readonly Signal[]> => {
  const unknown = features.filter(name => !graph.features.has(name))
  return unknown.length === 0
    ? right([graph.output, ...features.map(name => graph.features.get(name) as Signal)])
    : left(problem('noSuchFeature', `compile: there is no layer or tap called ${unknown.map(name => `'${name}'`).join(', ')}`, { remedy: `there are: ${[...graph.features.keys()].slice(0, 24).join(', ')}${graph.features.size > 24 ? ', …' : ''}` }))
}
