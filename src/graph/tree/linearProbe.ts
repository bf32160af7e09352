import { chain, type Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import type { Patterns } from '../../layers/core/pathPattern.js'
import type { Problem } from '../../shape/problem.js'
import { freeze, unfreeze } from './freeze.js'
import { headsFor } from './heads.js'

/** Options of {@link linearProbe}. */
export interface LinearProbeOptions {
  /** Which layers are the head, where the model does not end with one. */
  readonly at?: Patterns
}

/**
 * A model of which only the classification head is trained. Batch norms keep their statistics, so that what the head
 * sees of an image stays what it was.
 *
 * Errors: those of `trace`; `noHead`; with `at`, `badPattern` and `unknownPath`.
 *
 * @example
 * linearProbe(vitTiny) // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const linearProbe = <I, S>(m: Model<I, S>, { at }: LinearProbeOptions = {}): Either<Problem, Model<I, S>> =>
  pipe(
    headsFor('linearProbe', m as AnyModel, at),
    chain(found => pipe(freeze(m, '**', { statistics: 'keep' }), chain(still => unfreeze(still, found.map(({ path }) => path))))),
  )
