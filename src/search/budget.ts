import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Price } from './priceOf.js'

/** At most so many, or no fewer and no more. */
export type Range = number | readonly [least: number, most: number]

/** What a model may cost: parameters, and multiply-adds of one sample. What is left out may be anything. */
export interface Budget {
  readonly params?: Range
  readonly macs?: Range
}

/**
 * Whether a model costs no more and no less than a budget says.
 *
 * @example
 * isWithin({ params: 900, macs: 5000 }, { params: 1000, macs: [2000, 6000] }) // true
 */
export const isWithin = (price: Price, budget: Budget): boolean =>
  (['params', 'macs'] as const).every(which => {
    const [least, most] = limits(budget[which])
    return price[which] >= least && price[which] <= most
  })

const limits = (range: Range | undefined): readonly [number, number] => (range === undefined ? [0, Infinity] : typeof range === 'number' ? [0, range] : range)

/** Whether a budget leaves anything. Errors: `badBudget`. */
export const checkBudget = (budget: Budget): Either<Problem, void> => {
  for (const which of ['params', 'macs'] as const) {
    const [least, most] = limits(budget[which])
    if (!(least >= 0 && most > 0 && least <= most)) return left(problem('badBudget', `search: the budget of ${which} must be a number above 0, or [least, most], got ${JSON.stringify(budget[which])}`, { path: `budget.${which}` }))
  }
  return right(undefined)
}
