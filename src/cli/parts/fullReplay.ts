import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { recipes, type Recipe } from '../../../recipes/index.js'
import type { Backend } from '../../backends/device.js'
import { openSession } from '../../backends/openSession.js'
import type { Graph } from '../../graph/graph.js'
import { trace } from '../../graph/trace.js'
import type { InputSpec } from '../../layers/core/model.js'
import { isTensor, type Signal, type Tensor } from '../../ops/tensor.js'
import { isSize } from '../../shape/natural.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, sizeOf, type Shape } from '../../shape/shape.js'
import { formulaWeights } from '../../weights/formulaWeights.js'
import { initialise } from '../../weights/initialise.js'
import type { Comparison } from './compare.js'
import { evenBatches, ownSamples, type EvenBatches } from './evenBatches.js'
import { layouts } from './layouts.js'
import { type JsonObject, readJson } from './readJson.js'

/** What was recorded of one tensor too large to store: its shape, its first values, its L2 norm. */
interface Digest {
  readonly shape: readonly number[]
  readonly first: readonly number[]
  readonly l2: number
}

/** One published model, run at full size with weights from the documented formula. */
interface FullRecording {
  readonly name: string
  readonly salt: string
  readonly keys_file: string
  /** Images and noise by formula, texts as rows of numbers. */
  readonly inputs: Readonly<Record<string, JsonObject>>
  readonly outputs: Readonly<Record<string, Digest>>
  readonly features: Readonly<Record<string, Digest>>
  /** Weights that have their initial values: tables that the reference computes. */
  readonly keys_not_from_formula?: readonly string[]
}

/** An input made by formula. */
interface FormulaInput {
  readonly shape: readonly number[]
  readonly key: string
  readonly offset: number
  readonly s: number
}

/** A row of a key file: name, shape, role, kind, offset, s; the last two are null where no formula makes the values. */
type KeyRow = readonly [key: string, shape: readonly number[], role: string, kind: string, offset: number, s: number]

const isText = (value: unknown): boolean => typeof value === 'string'
const isShape = (value: unknown): boolean => Array.isArray(value) && value.every(isSize)
const areNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isFinite)
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const areAll = (is: (value: JsonObject) => boolean) => (value: unknown): boolean => isObject(value) && Object.values(value).every(field => isObject(field) && is(field))
const areDigests = areAll(({ shape, first, l2 }) => isShape(shape) && areNumbers(first) && Number.isFinite(l2))

/** What each field of a {@link FullRecording} must be. */
const fields: Readonly<Record<keyof FullRecording, (value: unknown) => boolean>> = {
  keys_not_from_formula: value => value === undefined || (Array.isArray(value) && value.every(isText)),
  name: isText, salt: isText, keys_file: isText, outputs: areDigests, features: areDigests,
  inputs: areAll(() => true),
}
const isFormulaInput = (input: unknown): input is FormulaInput => isObject(input) && isShape(input['shape']) && isText(input['key']) && areNumbers([input['offset'], input['s']])
const isWrittenOut = (input: unknown): input is { readonly values: readonly (readonly number[])[] } => isObject(input) && Array.isArray(input['values']) && input['values'].length > 0 && input['values'].every(areNumbers)
const isRow = (row: unknown): boolean => Array.isArray(row) && isText(row[0]) && isShape(row[1]) && (areNumbers([row[4], row[5]]) || (row[4] === null && row[5] === null))
const isFormulaRow = (row: readonly unknown[]): row is KeyRow => row[4] !== null

/** Reads the full-size recordings of a file, or those of some names. Errors: `fileUnreadable`, `notJson`, `notARecording`, `noSuchRecording`. */
export const readFull = (file: string, only: readonly string[] | undefined): TaskEither<Problem, readonly FullRecording[]> => async () => {
  const read = await readJson.file(file)()
  if (read._tag === 'Left') return read
  const { models } = read.right
  const listed = Array.isArray(models) ? (models as readonly unknown[]) : isObject(models) ? Object.values(models) : []
  if (listed.length === 0) return left(problem('notARecording', `${file}: holds no full-size recordings`))
  for (const [i, recording] of listed.entries()) {
    const bad = isObject(recording) ? Object.entries(fields).find(([field, is]) => !is(recording[field])) : ['']
    if (bad !== undefined) return left(problem('notARecording', `${file}: number ${i + 1} of its models is no full-size recording${bad[0] === '' ? '' : `: ${bad[0]} is missing or not what it should be`}`))
  }
  const all = listed as readonly FullRecording[]
  const missing = (only ?? []).filter(name => !all.some(recording => recording.name === name))
  if (missing.length > 0) return left(problem('noSuchRecording', `${file}: has no recording of ${missing.join(', ')}`, { remedy: `it has ${all.map(({ name }) => name).join(', ')}` }))
  return right(only === undefined ? all : all.filter(({ name }) => only.includes(name)))
}

/**
 * Runs a published model at full size, its weights and input made by formula, and compares the first values of
 * each recorded tensor and its L2 norm (relative, to 1e-5). Errors: `notListed`, `fileUnreadable`, `notAKeyFile`,
 * `missingWeight`, `weightMisfit`, `inputMisfit`, those of `compile`.
 *
 * @param tolerance the largest error of a value; by default 5e-5, and 2e-4 for hybrids, whose float32 noise is larger
 */
export const replayFull = (file: string, recording: FullRecording, backend: Backend, tolerance: number | undefined): TaskEither<Problem, { readonly family: string; readonly outputs: Readonly<Record<string, Comparison>> }> => async () => {
  const { name, salt, outputs, features, keys_not_from_formula: computed = [] } = recording
  const recipe = Object.hasOwn(recipes, name) ? (recipes as unknown as Readonly<Record<string, Recipe>>)[name] : undefined
  if (recipe === undefined) return left(problem('notListed', `${name}: is no model of the listing`))
  const traced = trace(recipe.model)
  if (traced._tag === 'Left') return traced
  const graph = traced.right
  const rows = await keyRows(file, recording)
  if (rows._tag === 'Left') return rows
  const weights = (key: string, shape: Shape): TaskEither<Problem, Float32Array> => async () => {
    const row = rows.right.get(key)
    const own = graph.parameters.find(p => p.attributes.name === key)
    if (computed.includes(key) && own !== undefined) return right(initialise(own.attributes.initialiser, shape, 0, key))
    if (row === undefined) return left(problem('missingWeight', `${name}: the reference has no weight '${key}'`))
    return sizeOf(row[1]) === sizeOf(shape) ? right(formulaWeights(key, row[1], row[4], row[5], salt)) : left(problem('weightMisfit', `${name}: '${key}' is ${show(row[1])} in the reference and ${show(shape)} here`))
  }
  const fed = inputsOf(recording, recipe.model.input, 'x')
  if (fed._tag === 'Left') return fed
  const even = evenBatches(fed.right, recipe.model.input)
  const wanted = new Map<string, Digest>([...Object.entries(outputs).map(([key, d]) => [`@out/${key}`, d] as const), ...Object.entries(features).map(([key, d]) => [`@feat/${key}`, d] as const)])
  const signals = new Map([...wanted.keys()].flatMap(key => ((signal => (signal === undefined || !isTensor(signal) ? [] : [[key, signal] as const]))(signalOf(key, recipe, graph, even)))))
  const session = await openSession({ full: { inputs: graph.inputs, outputs: Object.fromEntries(signals) } }, { backend, weights })()
  if (session._tag === 'Left') return session
  const ran = await session.right.run('full', even.values)()
  session.right.dispose()
  if (ran._tag === 'Left') return ran
  const compared: Record<string, Comparison> = {}
  for (const [key, digest] of wanted) {
    const signal = signals.get(key)
    compared[key] = signal === undefined ? { maxAbs: null, maxRel: null, ok: false, problem: `the model has no ${key.startsWith('@out/') ? 'output' : 'layer'} '${bare(key)}'` } : digestOf(ran.right[key] as Float32Array, signal, even, digest, tolerance ?? (recipe.family === 'hybrid' ? 2e-4 : 5e-5))
  }
  return right({ family: recipe.family, outputs: compared })
}

/** Where the reference's output or inner output is among ours. */
const signalOf = (key: string, { outputs = {}, computed }: Recipe, graph: Graph, { samples }: EvenBatches): Signal | undefined => {
  // A module that ran a second time was recorded again, under a number.
  const name = bare(key).replace(/#\d+$/, '')
  if (!key.startsWith('@out/')) return graph.features.get(name)
  const own = computed?.(graph, samples)
  if (own !== undefined && Object.hasOwn(own, name)) return own[name]
  if (Object.hasOwn(outputs, name)) return graph.features.get(outputs[name]!)
  if (!isTensor(graph.output)) return Object.hasOwn(graph.output, name) ? graph.output[name] : undefined
  return name === 'logits' ? graph.output : graph.features.get(name)
}

/** More samples at full size would not be recorded. */
const mostSamples = 64

/** What the model is fed, each tensor made by formula or written out. */
const inputsOf = (recording: FullRecording, spec: InputSpec, name: string): Either<Problem, unknown> => {
  if ('fields' in spec) {
    const values: Record<string, unknown> = {}
    for (const [field, inner] of Object.entries(spec.fields)) {
      const read = inputsOf(recording, inner, field)
      if (read._tag === 'Left') return read
      values[field] = read.right
    }
    return right(values)
  }
  const input = recording.inputs[name]
  const shape = isFormulaInput(input) ? input.shape : isWrittenOut(input) ? [input.values.length, input.values[0]!.length] : []
  // What cannot fit is not made: its size is anyone's.
  const fits = sizeOf(shape.slice(1)) === sizeOf(spec.shape) && shape[0]! <= mostSamples
  const made = !fits ? undefined : isFormulaInput(input) ? formulaWeights(input.key, shape, input.offset, input.s, recording.salt) : isWrittenOut(input) ? Int32Array.from(input.values.flat()) : undefined
  const values = made === undefined ? undefined : layouts.ours(made, shape, spec.shape)
  if (values === undefined || values instanceof Int32Array !== (spec.dtype === 'int32')) return left(problem('inputMisfit', `${recording.name}: the recorded input '${name}' is not what the model takes, ${show(spec.shape)} after the batch`))
  return right(values)
}

const bare = (key: string): string => key.slice(key.indexOf('/') + 1)

/** The key file beside the recording, or one folder up, where the whole reference set keeps it. */
const keyRows = async (file: string, { name, keys_file }: FullRecording): Promise<Either<Problem, ReadonlyMap<string, KeyRow>>> => {
  const path = [join(dirname(file), keys_file), join(dirname(file), '..', keys_file)].find(existsSync)
  if (path === undefined) return left(problem('fileUnreadable', `${name}: ${keys_file}, which says how its weights are made, is neither beside ${file} nor one folder up`))
  const read = await readJson.file(path)()
  if (read._tag === 'Left') return read
  const { state } = read.right
  return Array.isArray(state) && state.every(isRow) ? right(new Map((state as readonly (readonly unknown[])[]).filter(isFormulaRow).map(row => [row[0], row]))) : left(problem('notAKeyFile', `${path}: does not say how weights are made: 'state' must be a list of [name, shape, role, kind, offset, s]`))
}

const digestOf = (values: Float32Array, signal: Tensor, even: EvenBatches, digest: Digest, tolerance: number): Comparison => {
  if (!signal.batched) return compareDigest(values, signal.shape, digest, tolerance)
  const count = ownSamples(signal, even)
  return compareDigest(values.subarray(0, count * sizeOf(signal.shape)), [count, ...signal.shape], digest, tolerance)
}

const compareDigest = (ours: Float32Array, shape: readonly number[], { shape: recorded, first, l2 }: Digest, tolerance: number): Comparison => {
  const [best] = layouts
    .theirs(ours, shape, recorded)
    .map(values => first.reduce((most, x, i) => Math.max(most, Math.abs(x - values[i]!)), 0))
    .sort((a, b) => a - b)
  if (best === undefined) return { maxAbs: null, maxRel: null, ok: false, problem: `it is ${recorded.join('×')} in the recording and ${shape.join('×')} here` }
  const norm = Math.sqrt(ours.reduce((total, x) => total + x * x, 0))
  const maxRel = Math.abs(norm - l2) / l2
  return { maxAbs: best, maxRel, ok: best <= tolerance * Math.max(1, ...first.map(Math.abs)) && maxRel <= 1e-5 }
}
