import { left, type Either } from 'fp-ts/lib/Either.js'
import { nearest } from '../shape/nearest.js'
import { problem, type Problem } from '../shape/problem.js'

/** What an option may be, and how a sentence says so. */
export interface Rule {
  readonly accepts: (value: unknown) => boolean
  readonly says: string
}

const number = (says: string, accepts: (value: number) => boolean): Rule => ({ says, accepts: value => typeof value === 'number' && Number.isFinite(value) && accepts(value) })
const amount = number('a number from 0', value => value >= 0)
const fraction = number('at least 0 and below 1', value => value >= 0 && value < 1)

/** The kinds of options that training has. */
export const rules = {
  positive: number('a number above 0', value => value > 0),
  amount,
  any: number('a number', () => true),
  count: number('a whole number from 1', value => Number.isInteger(value) && value >= 1),
  fraction,
  share: number('a number from 0 to 1', value => value >= 0 && value <= 1),
  fractions: { says: 'two numbers, each at least 0 and below 1', accepts: value => Array.isArray(value) && value.length === 2 && value.every(fraction.accepts) },
  weights: { says: 'a list of numbers from 0, one a class', accepts: value => Array.isArray(value) && value.length > 0 && value.every(amount.accepts) },
  flag: { says: 'true or false', accepts: value => typeof value === 'boolean' },
  record: { says: 'an object', accepts: value => isRecord(value) },
  text: { says: 'a text', accepts: value => typeof value === 'string' && value !== '' },
  model: { says: "a recipe's id, a file, or { recipe, config }", accepts: value => (typeof value === 'string' && value !== '') || (isRecord(value) && typeof value['recipe'] === 'string') },
  numbers: { says: 'a list of numbers from 0 to 1', accepts: value => Array.isArray(value) && value.length > 0 && value.every(each => fraction.accepts(each) || each === 1) },
} as const satisfies Readonly<Record<string, Rule>>

/** One of some words. */
export const oneOf = (...words: readonly string[]): Rule => ({ says: words.map(word => `'${word}'`).join(' or '), accepts: value => words.includes(value as string) })

/** An object of some options and no others, none of which need be there. */
export const recordOf = (fields: Readonly<Record<string, Rule>>): Rule => ({
  says: `an object of ${Object.entries(fields).map(([key, { says }]) => `${key} (${says})`).join(', ')}`,
  accepts: value => isRecord(value) && Object.entries(value).every(([key, each]) => Object.hasOwn(fields, key) && (each === undefined || fields[key]!.accepts(each))),
})

/** The options one kind of thing has. */
export interface OptionRules {
  readonly needed?: Readonly<Record<string, Rule>>
  readonly optional?: Readonly<Record<string, Rule>>
}

/** What a kind is read by: its options, and how it is made of them. */
export interface Kind<T> extends OptionRules {
  readonly make: (options: never) => Either<Problem, T>
}

/**
 * Reads `{ name, config }`, as a program writes it or as it comes out of JSON. Errors: `notNamed`, `unknownName`,
 * `unknownOption`, `missingOption`, `badOption`, and those of the kind.
 *
 * @param what the word for these things in sentences: `optimiser`
 */
export const readNamed = <T>(what: string, kinds: Readonly<Record<string, Kind<T>>>, given: unknown): Either<Problem, T> => {
  const { name, config = {} } = isRecord(given) ? given : {}
  if (typeof name !== 'string' || !isRecord(config)) return left(problem('notNamed', `${what}: expects { name, config }`, { remedy: `names are ${Object.keys(kinds).join(', ')}` }))
  if (!Object.hasOwn(kinds, name)) return left(problem('unknownName', `${what}: there is none called '${name}'`, { remedy: meant(name, Object.keys(kinds)) }))
  const stray = strayIn(given as Readonly<Record<string, unknown>>)
  if (stray !== undefined) return left(problem('notNamed', `${what} ${name}: expects { name, config }, but there is '${stray}' beside them`, { path: stray, remedy: 'put options into config' }))
  const kind = kinds[name]!
  const wrong = misfit(`${what} ${name}`, config, kind)
  return wrong === undefined ? kind.make(config as never) : left(wrong)
}

/** What stands beside name and config where somebody wrote both; what code has made holds how it works there (functions, a kind). */
const strayIn = (given: Readonly<Record<string, unknown>>): string | undefined =>
  Object.hasOwn(given, 'kind') || Object.values(given).some(value => typeof value === 'function') ? undefined : Object.keys(given).find(key => key !== 'name' && key !== 'config')

const misfit = (subject: string, config: Readonly<Record<string, unknown>>, { needed = {}, optional = {} }: OptionRules): Problem | undefined => {
  const all = { ...needed, ...optional }
  const unknown = Object.keys(config).find(key => !Object.hasOwn(all, key))
  if (unknown !== undefined) return problem('unknownOption', `${subject}: there is no option '${unknown}'`, { path: unknown, remedy: meant(unknown, Object.keys(all)) })
  const missing = Object.keys(needed).find(key => config[key] === undefined)
  if (missing !== undefined) return problem('missingOption', `${subject}: needs '${missing}', ${needed[missing]!.says}`, { path: missing })
  const bad = Object.keys(config).find(key => config[key] !== undefined && !all[key]!.accepts(config[key]))
  return bad === undefined ? undefined : problem('badOption', `${subject}: ${bad} must be ${all[bad]!.says}, got ${JSON.stringify(config[bad])}`, { path: bad })
}

const meant = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known)
  return near === undefined ? `there are ${known.join(', ')}` : `did you mean '${near}'?`
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
