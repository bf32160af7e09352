import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import * as listing from '../../layers/index.js'
import type { RepeatConfig } from '../../layers/repeat.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Json } from './toJson.js'

/** Layer constructors by name: those of the library, and what a caller adds. */
export type Constructors = Readonly<Record<string, (...args: never[]) => AnyLayer>>

/**
 * Reads a model from JSON (see `toJson`). The compiler cannot know its sizes; tracing it says whether they
 * fit, in the compiler's own sentences.
 *
 * Errors: `badJson`, `unknownLayer`, `unknownOption`, each with the place in the file.
 *
 * @example
 * fromJson({ input: [192], layers: [['linear', 10]] }) // Either<Problem, Model<…>>
 */
export const fromJson = (json: unknown, own: Constructors = {}): Either<Problem, AnyModel> => {
  try {
    if (!isRecord(json) || !Array.isArray(json['layers'])) throw refused('', `expects an object with 'input' and 'layers'`)
    const constructors = { ...(listing as unknown as Constructors), ...own }
    return right(model(inputFrom(json['input'] as Json, 'input'), json['layers'].map((layer, i) => layerFrom(layer as Json, `layers[${i}]`, constructors))))
  } catch (fault) {
    if (fault instanceof Refused) return left(fault.problem)
    throw fault
  }
}

class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.sentence)
  }
}
const refused = (path: string, sentence: string, code = 'badJson', remedy?: string): Refused => new Refused(problem(code, `model JSON: ${sentence}`, { path, ...(remedy === undefined ? {} : { remedy }) }))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

const inputFrom = (json: Json, path: string): InputSpec => {
  const isShape = (value: unknown): value is number[] => Array.isArray(value) && value.every(size => typeof size === 'number')
  if (isShape(json)) return { shape: json, dtype: 'float32' }
  if (!isRecord(json)) throw refused(path, 'an input is a list of sizes, { "integers": sizes }, or a record of inputs')
  if (isShape(json['integers'])) return { shape: json['integers'], dtype: 'int32' }
  return { fields: Object.fromEntries(Object.entries(json).map(([name, field]) => [name, inputFrom(field as Json, `${path}.${name}`)])) }
}

const layerFrom = (json: Json, path: string, constructors: Constructors): AnyLayer => {
  const [kind, ...args] = Array.isArray(json) ? (json as readonly Json[]) : [json]
  if (typeof kind !== 'string') throw refused(path, `a layer is a list that begins with its name, such as ["linear", 10]`)
  const make = Object.hasOwn(constructors, kind) ? constructors[kind] : undefined
  if (make === undefined) throw refused(path, `there is no layer called '${kind}'`, 'unknownLayer', `there are ${Object.keys(constructors).join(', ')}`)
  const values = args.map((arg, i) => valueFrom(arg, `${path}.${kind}[${i}]`, constructors))
  const layer = kind === 'repeat' ? repeated(values, path) : attempt(() => make(...(values as never[])), path, kind)
  const given = values.find(isRecord)
  const unknown = given === undefined || Object.values(given).some(isLayer) || kind === 'repeat' ? [] : Object.keys(given).filter(key => !(key in layer.definition.config))
  if (unknown.length > 0) throw refused(path, `${kind} has no option called ${unknown.map(key => `'${key}'`).join(', ')}`, 'unknownOption', `it has ${Object.keys(layer.definition.config).join(', ')}`)
  return layer
}

const repeated = ([times, block, config]: readonly unknown[], path: string): AnyLayer => {
  if (isLayer(block)) return listing.repeat(times as number, block, config as RepeatConfig<number> | undefined)
  const blocks = isRecord(block) && Array.isArray(block['blocks']) ? (block['blocks'] as readonly AnyLayer[]) : []
  if (blocks.length === 0 || blocks.length !== times || !blocks.every(isLayer)) throw refused(path, 'repeat expects a number and a layer, or { "blocks": [...] } with one layer a time')
  return listing.repeat(times, index => blocks[index] as AnyLayer, config as RepeatConfig<number> | undefined)
}

/** Arguments: layers are lists that begin with a layer's name; other lists and records are as they are. */
const valueFrom = (json: Json, path: string, constructors: Constructors): unknown => {
  if (Array.isArray(json)) return typeof json[0] === 'string' ? layerFrom(json, path, constructors) : json.map((value, i) => valueFrom(value as Json, `${path}[${i}]`, constructors))
  if (!isRecord(json)) return json
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, valueFrom(value as Json, `${path}.${key}`, constructors)]))
}

/** A constructor given what it cannot even read (a number for a record) fails in JavaScript's own words. */
const attempt = (make: () => AnyLayer, path: string, kind: string): AnyLayer => {
  try {
    const layer = make()
    if (isLayer(layer)) return layer
  } catch {
    // Said below: a constructor's own fault names nothing a reader of the file knows.
  }
  throw refused(path, `${kind} cannot be made of these arguments`)
}
