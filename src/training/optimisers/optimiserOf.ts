import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { readNamed, rules, type Kind } from '../readNamed.js'
import { adam } from './adam.js'
import type { AdamOptions } from './adamUpdate.js'
import { adamw } from './adamw.js'
import type { Optimiser } from './optimiser.js'
import { sgd, type SgdOptions } from './sgd.js'

const adaptive = { betas: rules.fractions, epsilon: rules.positive, weightDecay: rules.amount, amsgrad: rules.flag }

const kinds: Readonly<Record<string, Kind<Optimiser>>> = {
  adam: { optional: adaptive, make: (options: AdamOptions) => right(adam(options)) },
  adamw: { optional: adaptive, make: (options: AdamOptions) => right(adamw(options)) },
  sgd: {
    optional: { momentum: rules.fraction, nesterov: rules.flag, dampening: rules.share, weightDecay: rules.amount },
    make: (options: SgdOptions) =>
      options.nesterov === true && ((options.momentum ?? 0) === 0 || (options.dampening ?? 0) !== 0)
        ? left(problem('badOption', 'optimiser sgd: nesterov needs a momentum above 0 and no dampening', { path: 'nesterov' }))
        : right(sgd(options)),
  },
}

/**
 * The optimiser that `{ name, config }` describes; what an optimiser was written to JSON as gives it back. In code it
 * also checks the options of an optimiser made elsewhere.
 *
 * Errors: `notNamed`, `unknownName`, `unknownOption`, `badOption`.
 *
 * @example
 * optimiserOf({ name: 'adamw', config: { weightDecay: 0.05 } }) // Either<Problem, Optimiser>
 */
export const optimiserOf = (given: unknown): Either<Problem, Optimiser> => readNamed('optimiser', kinds, given)
