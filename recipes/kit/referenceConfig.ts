import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../src/shape/problem.js'

/** A configuration as it stands in a file: nothing is known of its values. */
export type RawConfig = Readonly<Record<string, unknown>>

/** What a value in a configuration may be: of a kind, or one of some words. */
export type Kind = keyof typeof holds | readonly string[]

const holds = {
  number: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value: unknown) => typeof value === 'boolean',
  string: (value: unknown) => typeof value === 'string',
  numbers: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(v => typeof v === 'number' && Number.isFinite(v)),
  numberOrNumbers: (value: unknown) => [value].flat().length > 0 && [value].flat().every(v => typeof v === 'number' && Number.isFinite(v)),
  list: (value: unknown) => Array.isArray(value) && value.length > 0,
  pair: (value: unknown) => (typeof value === 'number' && Number.isFinite(value)) || (Array.isArray(value) && value.length === 2 && value.every(v => typeof v === 'number')),
} as const

const isOf = (kind: Kind, value: unknown): boolean => (typeof kind === 'string' ? holds[kind](value) : kind.includes(value as string))

const describe = (kind: Kind): string => (typeof kind !== 'string' ? `one of ${kind.map(word => `'${word}'`).join(', ')}` : kind === 'pair' ? 'a number or a pair of numbers' : kind === 'numbers' ? 'a list of numbers' : kind === 'numberOrNumbers' ? 'a number or a list of numbers' : `a ${kind}`)

/** One keyword: what kind of value it holds, and the options of ours it sets. `null` means "not given", as in Python. */
export interface Keyword {
  readonly kind: Kind
  readonly sets: (value: never) => object
}

/** A keyword that holds a value of a kind. */
export const keyword = <V>(kind: Kind, sets: (value: V) => object): Keyword => ({ kind, sets })

/** A keyword of which a few words mean something. */
export const words = <V>(meanings: Readonly<Record<string, V>>, sets: (value: V) => object): Keyword => keyword(Object.keys(meanings), (word: string) => sets(meanings[word] as V))

/** A keyword that changes nothing in inference. */
export const inert = (kind: Kind): Keyword => keyword(kind, () => ({}))

/** Several of them. */
export const inertAll = (kind: Kind, names: readonly string[]): Readonly<Record<string, Keyword>> => Object.fromEntries(names.map(name => [name, inert(kind)]))

/**
 * Reads a reference implementation's configuration into our options. Errors: `unknownKeyword` (all of them at
 * once), `badKeyword` (a value of the wrong kind), `missingKeyword`.
 */
export const readKeywords = (system: string, config: RawConfig, keywords: Readonly<Record<string, Keyword>>, required: readonly string[]): Either<Problem, object> => {
  const unknown = Object.keys(config).filter(key => !Object.hasOwn(keywords, key))
  if (unknown.length > 0) return left(problem('unknownKeyword', `${system}: does not know ${unknown.map(key => `'${key}'`).join(', ')}`, { remedy: `it knows ${Object.keys(keywords).join(', ')}` }))
  const missing = required.filter(key => config[key] === undefined || config[key] === null)
  if (missing.length > 0) return left(problem('missingKeyword', `${system}: needs ${missing.map(key => `'${key}'`).join(', ')}`))
  let options = {}
  for (const [key, value] of Object.entries(config)) {
    const { kind, sets } = keywords[key] as Keyword
    if (value === null) continue
    if (!isOf(kind, value)) return left(problem('badKeyword', `${system}: '${key}' must be ${describe(kind)}, got ${JSON.stringify(value)}`))
    options = { ...options, ...sets(value as never) }
  }
  return right(options)
}

/** Reads a configuration in our own words. Errors: as {@link readKeywords}. */
export const readOptions = (family: string, config: RawConfig, options: Readonly<Record<string, Kind>>, required: readonly string[] = []): Either<Problem, object> =>
  readKeywords(family, config, Object.fromEntries(Object.entries(options).map(([name, kind]) => [name, keyword(kind, value => ({ [name]: value }))])), required)

/** Why a configuration that can be read makes no model of ours. */
export const unsupported = (system: string, sentence: string, remedy?: string): Either<Problem, never> => left(problem('unsupportedKeyword', `${system}: ${sentence}`, remedy === undefined ? {} : { remedy }))
