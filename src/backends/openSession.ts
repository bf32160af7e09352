import { right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../shape/problem.js'
import type { Backend } from './device.js'
import { loadOnce, type Weights } from './loadOnce.js'
import { plan, type Plan } from './plan.js'
import { prepare, type Routine } from './prepare.js'
import { Session } from './session.js'

/** Options of {@link openSession}. */
export interface SessionOptions {
  readonly backend: Backend
  readonly weights: Weights
  /** Parameters that {@link Session.write} may change, beside those that a routine updates. */
  readonly variables?: readonly string[]
  /** Runs graphs as they are, without any pass: slower, but every node is one that was given (default no). */
  readonly asGiven?: boolean
}

/**
 * Opens a session: several graphs over the same parameters, which stay on the device from run to run. A training
 * step, the same model in inference mode and the start of a running average are three routines of one session.
 *
 * Errors: `parameterMisfit`, `noSuchParameter`; `missingKernels`; `missingWeight`, `weightMisfit`, `loadFailed`; those of the backend.
 *
 * @example
 * const session = await openSession({ ones: { inputs: ops.input('x', [3]), outputs: { one: ops.scalar(1) } } }, { backend: wasm, weights: new Map() })() // Either<Problem, Session<'ones'>>
 */
export const openSession = <K extends string>(routines: Readonly<Record<K, Routine>>, { backend, weights, variables = [], asGiven = false }: SessionOptions): TaskEither<Problem, Session<K>> => async () => {
  const prepared = prepare(routines, variables, asGiven ? roots => roots : undefined)
  if (prepared._tag === 'Left') return prepared
  const opened = await backend.open()
  if (opened._tag === 'Left') return opened
  const device = opened.right
  const plans: Plan<unknown>[] = []
  // Plans for one sample prove that every kernel exists before any weight is read.
  for (const { each, kept } of prepared.right.routines.values()) {
    const one = plan(device, each, kept, 1)
    if (one._tag === 'Left') return one
    plans.push(one.right)
  }
  const loaded = await loadOnce(device, prepared.right, plans, weights)
  return loaded._tag === 'Left' ? loaded : right(new Session<K>(device, prepared.right, loaded.right))
}
