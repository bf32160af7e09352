import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { readNamed, rules, type Kind } from '../readNamed.js'
import { constant, type ConstantOptions } from './constant.js'
import { cosine, type CosineOptions } from './cosine.js'
import { polynomial, type PolynomialOptions } from './polynomial.js'
import type { Schedule } from './schedule.js'
import { stepped, type SteppedOptions } from './stepped.js'
import { warmup, type WarmupOptions } from './warmup.js'

const falling = { needed: { rate: rules.positive, steps: rules.positive }, optional: { minimum: rules.amount, cycles: rules.count, cycleGrowth: rules.positive, cycleDecay: rules.positive, exponent: rules.positive } }

const kinds: Readonly<Record<string, Kind<Schedule>>> = {
  constant: { needed: { rate: rules.positive }, make: (options: ConstantOptions) => right(constant(options)) },
  cosine: { ...falling, make: (options: CosineOptions) => right(cosine(options)) },
  polynomial: { needed: falling.needed, optional: { ...falling.optional, power: rules.positive }, make: (options: PolynomialOptions) => right(polynomial(options)) },
  stepped: { needed: { rate: rules.positive, every: rules.positive }, optional: { factor: rules.positive }, make: (options: SteppedOptions) => right(stepped(options)) },
  warmup: {
    needed: { steps: rules.positive, schedule: rules.record },
    optional: { from: rules.amount, prefix: rules.flag },
    make: ({ schedule, ...options }: WarmupOptions & { readonly schedule: unknown }) => {
      const inner = scheduleOf(schedule)
      if (inner._tag === 'Left') return left({ ...inner.left, path: inner.left.path === '' ? 'schedule' : `schedule.${inner.left.path}` })
      return inner.right.name === 'warmup' ? left(problem('badOption', 'schedule warmup: schedule must be no warmup itself', { path: 'schedule' })) : right(warmup(options, inner.right))
    },
  },
}

/**
 * The schedule that `{ name, config }` describes; what a schedule was written to JSON as gives it back. In code it also
 * checks the options of a schedule made elsewhere.
 *
 * Errors: `notNamed`, `unknownName`, `unknownOption`, `missingOption`, `badOption`.
 *
 * @example
 * scheduleOf({ name: 'cosine', config: { rate: 0.001, steps: 300 } }) // Either<Problem, Schedule>
 */
export const scheduleOf = (given: unknown): Either<Problem, Schedule> => readNamed('schedule', kinds, given)
