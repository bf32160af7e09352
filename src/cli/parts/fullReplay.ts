import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { recipes, type Recipe } from '../../../recipes/index.js'
import { compile } from '../../backends/compile.js'
import type { Backend } from '../../backends/device.js'
import { trace } from '../../graph/trace.js'
import { isTensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { formulaWeights } from '../../weights/formulaWeights.js'
import type { Comparison } from './compare.js'
import { layouts } from './layouts.js'
import { readJson } from './readJson.js'

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
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly key: string; readonly offset: number; readonly s: number }>>
  readonly outputs: Readonly<Record<string, Digest>>
  readonly features: Readonly<Record<string, Digest>>
}

/** Rows of a key file: name, shape, role, kind, offset, s. */
type KeyRow = readonly [key: string, shape: readonly number[], role: string, kind: string, offset: number, s: number]

/** Reads the full-size recordings of a file, or those of some names. Errors: `fileUnreadable`, `notJson`, `noSuchRecording`. */
export const readFull = (file: string, only: readonly string[] | undefined): TaskEither<Problem, readonly FullRecording[]> => async () => {
  const read = await readJson.file(file)()
  if (read._tag === 'Left') return read
  const { models } = read.right as { readonly models?: unknown }
  const all = (Array.isArray(models) ? models : Object.values(models ?? {})) as readonly FullRecording[]
  if (all.length === 0 || all.some(({ name, outputs }) => typeof name !== 'string' || typeof outputs !== 'object')) return left(problem('notARecording', `${file}: holds no full-size recordings`))
  const missing = (only ?? []).filter(name => !all.some(recording => recording.name === name))
  if (missing.length > 0) return left(problem('noSuchRecording', `${file}: has no recording of ${missing.join(', ')}`, { remedy: `it has ${all.map(({ name }) => name).join(', ')}` }))
  return right(only === undefined ? all : all.filter(({ name }) => only.includes(name)))
}

/**
 * Runs a published model at full size, its weights and input made by formula, and compares the first values of
 * each recorded tensor and its L2 norm (relative, to 1e-5). Errors: `notListed`, `fileUnreadable`, those of
 * `compile`.
 *
 * @param tolerance the largest error of a value; by default 5e-5, and 2e-4 for hybrids, whose float32 noise is larger
 */
export const replayFull = (file: string, recording: FullRecording, backend: Backend, tolerance: number | undefined): TaskEither<Problem, { readonly family: string; readonly outputs: Readonly<Record<string, Comparison>> }> => async () => {
  const { name, salt, inputs, outputs, features } = recording
  const recipe = (recipes as unknown as Readonly<Record<string, Recipe>>)[name]
  if (recipe === undefined) return left(problem('notListed', `${name}: is no model of the listing`))
  const traced = trace(recipe.model)
  if (traced._tag === 'Left') return traced
  const rows = await keyRows(file, recording)
  if (rows._tag === 'Left') return rows
  const weights = (key: string): TaskEither<Problem, Float32Array> => async () => {
    const row = rows.right.get(key)
    return row === undefined ? left(problem('missingWeight', `${name}: the reference has no weight '${key}'`)) : right(formulaWeights(key, row[1], row[4], row[5], salt))
  }
  const x = inputs['x']
  const spec = recipe.model.input
  const pixels = x === undefined || !('shape' in spec) ? undefined : layouts.ours(formulaWeights(x.key, x.shape, x.offset, x.s, salt), x.shape, spec.shape)
  if (pixels === undefined) return left(problem('inputMisfit', `${name}: the recorded input is not one image of the model's size`))
  const place = (key: string): string | undefined => (key === 'logits' ? undefined : (recipe.outputs?.[key] ?? key))
  const wanted = new Map<string, Digest>([...Object.entries(outputs).map(([key, d]) => [`@out/${key}`, d] as const), ...Object.entries(features).map(([key, d]) => [`@feat/${key}`, d] as const)])
  const names = [...new Set([...wanted.keys()].flatMap(key => place(bare(key)) ?? []))].filter(feature => traced.right.features.has(feature))
  const program = await compile(recipe.model, { backend, weights, features: names })()
  if (program._tag === 'Left') return program
  const ran = await program.right.runWithFeatures(pixels as never)()
  program.right.dispose()
  if (ran._tag === 'Left') return ran
  const inner = ran.right.features as unknown as Readonly<Record<string, Float32Array>>
  const compared: Record<string, Comparison> = {}
  for (const [key, digest] of wanted) {
    const feature = place(bare(key))
    const signal = feature === undefined ? traced.right.output : traced.right.features.get(feature)
    const values = feature === undefined ? (ran.right.output as unknown as Float32Array) : inner[feature]
    compared[key] = signal === undefined || !isTensor(signal) || values === undefined ? { maxAbs: null, maxRel: null, ok: false, problem: `the model has no layer '${bare(key)}'` } : compareDigest(values, [1, ...signal.shape], digest, tolerance ?? (recipe.family === 'hybrid' ? 2e-4 : 5e-5))
  }
  return right({ family: recipe.family, outputs: compared })
}

const bare = (key: string): string => key.slice(key.indexOf('/') + 1)

/** The key file beside the recording, or one folder up, where the whole reference set keeps it. */
const keyRows = async (file: string, { name, keys_file }: FullRecording): Promise<Either<Problem, ReadonlyMap<string, KeyRow>>> => {
  const path = [join(dirname(file), keys_file), join(dirname(file), '..', keys_file)].find(existsSync)
  if (path === undefined) return left(problem('fileUnreadable', `${name}: ${keys_file}, which says how its weights are made, is neither beside ${file} nor one folder up`))
  const read = await readJson.file(path)()
  return read._tag === 'Left' ? read : right(new Map((read.right as { readonly state: readonly KeyRow[] }).state.map(row => [row[0], row])))
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
