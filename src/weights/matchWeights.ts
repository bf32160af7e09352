import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { misfitRemedy, type Misfit, type Misshape } from './misfitRemedy.js'
import { quoted } from './quoted.js'
import { sameShape } from '../shape/shape.js'

/** A parameter a model expects. */
export interface ExpectedWeight {
  readonly name: string
  readonly shape: readonly number[]
}

/** What not to compare. */
export interface MatchOptions {
  /** Names, of the model or of the checkpoint, that are left alone: neither required nor loaded nor reported. */
  readonly ignore?: (name: string) => boolean
}

/** How many names a sentence lists; the full lists are in the Problem's `expected` and `actual`. */
const shown = 12

/**
 * Compares the parameters of a model with the tensors of a checkpoint: the names to load, in the model's order, if
 * every name and shape agrees, or else one Problem `weightsMisfit` with everything that is missing, unexpected and
 * misshaped at once. Its sentence counts and names the first dozen of each; its `expected` lists every name the model
 * wanted otherwise, its `actual` what the checkpoint has instead, a line each; its `remedy` a way out if there is one.
 *
 * @example
 * matchWeights([{ name: 'head.bias', shape: [10] }], new Map([['head.bias', { shape: [10] }]])) // { _tag: 'Right', right: ['head.bias'] }
 */
export const matchWeights = (
  expected: readonly ExpectedWeight[],
  entries: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  options: MatchOptions = {},
): E.Either<Problem, readonly string[]> => {
  const ignore = options.ignore ?? (() => false)
  const wanted = expected.filter(({ name }) => !ignore(name))
  const wantedNames = new Set(wanted.map(({ name }) => name))
  const missing = wanted.filter(({ name }) => !entries.has(name))
  const unexpected = [...entries.keys()].filter((name) => !wantedNames.has(name) && !ignore(name))
  const misshaped = wanted.flatMap(({ name, shape }): readonly Misshape[] => {
    const actual = entries.get(name)?.shape
    return actual === undefined || sameShape(shape, actual) ? [] : [{ name, expected: shape, actual }]
  })
  if (missing.length + unexpected.length + misshaped.length === 0) {
    return E.right(wanted.map(({ name }) => name))
  }

  const misfit: Misfit = { missing: missing.map(({ name }) => name), unexpected, misshaped }
  const remedy = misfitRemedy(misfit)
  return E.left(problem('weightsMisfit', sentence(misfit), {
    expected: [...missing, ...misshaped.map((m) => ({ name: m.name, shape: m.expected }))]
      .map(({ name, shape }) => line(name, shape)).join('\n'),
    actual: [
      ...unexpected.map((name) => line(name, entries.get(name)?.shape ?? [])),
      ...misshaped.map((m) => line(m.name, m.actual)),
    ].join('\n'),
    ...(remedy === undefined ? {} : { remedy }),
  }))
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`
const line = (name: string, shape: readonly number[]): string => `${quoted(name, Infinity)} ${show(shape)}`

const sentence = ({ missing, unexpected, misshaped }: Misfit): string => {
  const group = (label: string, names: readonly string[]): readonly string[] => {
    if (names.length === 0) return []
    const more = names.length > shown ? `, and ${names.length - shown} more` : ''
    return [`${names.length} ${label} (${names.slice(0, shown).join(', ')}${more})`]
  }
  return 'the checkpoint does not fit the model: ' + [
    ...group('missing', missing.map((name) => quoted(name))),
    ...group('unexpected', unexpected.map((name) => quoted(name))),
    ...group('of another shape', misshaped.map((m) =>
      `${quoted(m.name)} ${show(m.actual)} instead of ${show(m.expected)}`)),
  ].join('; ')
}
