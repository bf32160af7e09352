import type { Kind } from '../../readNamed.js'
import { rules } from '../../readNamed.js'

type Rule = NonNullable<Kind<unknown>['needed']>[string]

const isRange = (accepts: (value: number) => boolean) => (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(each => typeof each === 'number' && Number.isFinite(each) && accepts(each)) && value[0] <= value[1]

/** What options of steps may be, beside the kinds that all of training has. */
export const optionRules = {
  ...rules,
  /** Least and most share. */
  shares: { says: 'two numbers above 0 and at most 1, the smaller first', accepts: isRange(value => value > 0 && value <= 1) },
  /** Least and most of what is above 0. */
  positives: { says: 'two numbers above 0, the smaller first', accepts: isRange(value => value > 0) },
  radii: { says: 'two numbers from 0 to 100, the smaller first', accepts: isRange(value => value >= 0 && value <= 100) },
  whole: { says: 'a whole number from 0', accepts: (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0 },
  byte: { says: 'a number from 0 to 256', accepts: (value: unknown) => typeof value === 'number' && value >= 0 && value <= 256 },
  half: { says: 'a number from 0 to 0.5', accepts: (value: unknown) => typeof value === 'number' && value >= 0 && value <= 0.5 },
  counts: { says: 'a whole number from 1, or two of them, the smaller first', accepts: (value: unknown) => rules.count.accepts(value) || isRange(Number.isInteger)(value) && (value as readonly number[])[0]! >= 1 },
  list: { says: 'a list of steps', accepts: (value: unknown) => Array.isArray(value) && value.length > 0 },
  oneOf: (...words: readonly string[]): Rule => ({ says: words.map(word => `'${word}'`).join(', '), accepts: value => words.includes(value as string) }),
} as const
