import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isModel } from '../../layers/core/model.js'
import { nearest } from '../../shape/nearest.js'
import { problem, type Problem } from '../../shape/problem.js'
import { checkSettings } from '../loop/settled.js'
import type { TrainingConfig } from './defineTraining.js'

type Raw = Readonly<Record<string, unknown>>

/** What may stand somewhere: whether a value will do, and how a sentence says so. */
interface Rule {
  readonly accepts: (value: unknown) => boolean
  readonly says: string
}

const isRecord = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)
const text: Rule = { accepts: value => typeof value === 'string' && value !== '', says: 'a text' }
const texts: Rule = { accepts: value => Array.isArray(value) && value.length > 0 && value.every(text.accepts), says: 'a list of texts' }
const numbers: Rule = { accepts: value => Array.isArray(value) && value.length > 0 && value.every(v => typeof v === 'number' && Number.isFinite(v)), says: 'a list of numbers' }
const number: Rule = { accepts: value => typeof value === 'number' && Number.isFinite(value), says: 'a number' }
const record: Rule = { accepts: isRecord, says: 'an object' }
const anything: Rule = { accepts: () => true, says: '' }
const among = (...words: readonly string[]): Rule => ({ accepts: value => words.includes(value as string), says: words.map(word => `'${word}'`).join(' or ') })

const needed = (rule: Rule): Rule & { readonly isNeeded: true } => ({ ...rule, isNeeded: true })
type Fields = Readonly<Record<string, Rule & { readonly isNeeded?: boolean }>>

const part = among('train', 'test')
const sources: Readonly<Record<string, Fields>> = {
  folder: { path: needed(text), classes: texts },
  idx: { images: needed(text), labels: needed(text), classes: texts },
  captions: { path: needed(text), images: text },
  cifar10: { path: needed(text), part },
  cifar100: { path: needed(text), part, classes: among('fine', 'coarse') },
}
const preparation: Fields = { mean: numbers, std: numbers, crop: number, interpolation: among('bicubic', 'bilinear'), workers: number, prefetch: number, validation: anything }
// The numbers among them are judged by the settings themselves.
const settings = ['epochs', 'steps', 'batchSize', 'accumulate', 'optimiser', 'schedule', 'warmup', 'objective', 'loss', 'augment', 'clipNorm', 'clipValue', 'average', 'layerDecay', 'seed', 'validateEvery', 'checkpointEvery', 'patience', 'watch']
const top: Fields = {
  model: needed(anything),
  data: needed(record),
  weights: anything,
  freeze: texts,
  source: { accepts: value => text.accepts(value) || texts.accepts(value), says: 'a text, or a list of texts' },
  ...Object.fromEntries(settings.map(name => [name, anything])),
}

/**
 * A configuration out of a file: every option known, of its kind, and possible. Errors: `unknownOption` (with the
 * nearest one there is), `missingOption`, `badOption`; those of `checkSettings`.
 *
 * @example
 * readConfig({ model: 'vit_fashion_mnist', epoch: 3 }).left.remedy // "did you mean 'epochs'?"
 */
export const readConfig = (given: unknown): Either<Problem, TrainingConfig> => {
  const wrong = misfit('', given, top) ?? wrongModel((given as Raw)['model']) ?? wrongWeights((given as Raw)['weights']) ?? wrongData((given as Raw)['data'] as Raw) ?? wrongWarmup((given as Raw)['warmup'])
  if (wrong !== undefined) return left(wrong)
  const config = given as TrainingConfig
  const checked = checkSettings(config)
  return checked._tag === 'Left' ? checked : right(config)
}

const misfit = (path: string, given: unknown, fields: Fields): Problem | undefined => {
  const place = (key: string): string => (path === '' ? key : `${path}.${key}`)
  if (!isRecord(given)) return problem('badOption', `config: ${path === '' ? 'it' : path} must be an object {…}`, { path })
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(fields, key)) continue
    const near = nearest(key, Object.keys(fields))
    return problem('unknownOption', `config: there is no option '${place(key)}'`, { path: place(key), remedy: near === undefined ? `there are ${Object.keys(fields).join(', ')}` : `did you mean '${place(near)}'?` })
  }
  for (const [key, { accepts, says, isNeeded = false }] of Object.entries(fields)) {
    const value = given[key]
    if (value === undefined && isNeeded) return problem('missingOption', `config: needs '${place(key)}'`, { path: place(key) })
    if (value !== undefined && !accepts(value)) return problem('badOption', `config: ${place(key)} must be ${says}, got ${JSON.stringify(value)}`, { path: place(key) })
  }
  return undefined
}

const wrongModel = (model: unknown): Problem | undefined =>
  isModel(model) || text.accepts(model) || isRecipe(model) ? undefined : misfit('model', model, { recipe: needed(text), config: record })

/** A recipe as a TypeScript configuration imports it. */
const isRecipe = (value: unknown): boolean => isRecord(value) && isModel(value['model'])

const wrongWeights = (weights: unknown): Problem | undefined => (weights === undefined || text.accepts(weights) ? undefined : misfit('weights', weights, { file: needed(text), partial: needed({ accepts: value => value === true, says: 'true' }) }))

const wrongSource = (path: string, source: Raw, more: Fields): Problem | undefined => {
  const { kind } = source
  if (typeof kind !== 'string' || !Object.hasOwn(sources, kind)) {
    const near = typeof kind === 'string' ? nearest(kind, Object.keys(sources)) : undefined
    return problem(kind === undefined ? 'missingOption' : 'badOption', kind === undefined ? `config: needs '${path}.kind'` : `config: ${path}.kind cannot be ${JSON.stringify(kind)}`, { path: `${path}.kind`, remedy: near === undefined ? `there are ${Object.keys(sources).join(', ')}` : `did you mean '${near}'?` })
  }
  return misfit(path, source, { kind: text, ...sources[kind]!, ...more })
}

const wrongData = (data: Raw): Problem | undefined => {
  const wrong = wrongSource('data', data, preparation)
  const { validation } = data
  if (wrong !== undefined || validation === undefined) return wrong
  if (typeof validation === 'number') return validation > 0 && validation < 1 ? undefined : problem('badOption', `config: data.validation must be more than 0 and less than 1, or other data, got ${validation}`, { path: 'data.validation' })
  return isRecord(validation) ? wrongSource('data.validation', validation, {}) : problem('badOption', 'config: data.validation must be a share such as 0.1, or other data {…}', { path: 'data.validation' })
}

const wrongWarmup = (rise: unknown): Problem | undefined => (rise === undefined ? undefined : misfit('warmup', rise, { steps: number, epochs: number, from: number, prefix: { accepts: value => typeof value === 'boolean', says: 'true or false' } }))
