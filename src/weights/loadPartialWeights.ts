import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Mode } from '../layers/core/layer.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { initialise } from './initialise.js'
import { positionTables } from './positionTables.js'
import { resizeTable } from './resizeTable.js'
import type { Safetensors } from './safetensors.js'
import { storedDtypes } from './storedDtype.js'
import { transfer, type TransferReport } from './transfer.js'

/** Options of {@link loadPartialWeights}. */
export interface PartialLoadOptions {
  /** For weights that the file does not have (default 0). */
  readonly seed?: number
  /** Refuses a file that lacks something or holds more (default false). Position tables are resized all the same, and prefixes minded. */
  readonly strict?: boolean
  /** The model the file is of; needed where its position tables are not of square grids. */
  readonly from?: AnyModel
  /** Names in the file that are left alone. */
  readonly ignore?: (name: string) => boolean
  /** Whether absolute position tables are resized with antialiasing, as timm does (default true); the repositories of DeiT and MAE do not. */
  readonly antialias?: boolean
  /** `training` also wants what only training reads (default `inference`). */
  readonly mode?: Mode
}

/** A way to read the weights of a model one by one, and what of them is out of the file. */
export interface PartialWeights {
  readonly weights: (name: string, shape: Shape) => TaskEither<Problem, Float32Array>
  readonly report: TransferReport
}

/**
 * The weights of a model from a file that has only some of them: what matches by name and shape is read, one tensor at a
 * time, position tables of another grid are resized, and the rest begins anew from a seed. Where names match without a
 * prefix of the file's (`module.`, `model.`, `encoder.`), or with one more, they are taken so. Integer tensors (index
 * tables, counters) and what the model computes itself are left alone.
 *
 * Errors: those of `trace`; `nothingMatches`; with `strict`, `weightsMisfit`.
 *
 * @example
 * loadPartialWeights(file, vitTiny, { strict: true }).right.report.new // []
 */
export const loadPartialWeights = <I, S>(file: Safetensors, model: Model<I, S>, options: PartialLoadOptions = {}): Either<Problem, PartialWeights> => {
  const { seed = 0, strict = false, from, ignore, antialias = true, mode } = options
  const tables = from === undefined ? undefined : positionTables(from)
  if (tables?._tag === 'Left') return tables
  const isWeight = (name: string): boolean => !name.startsWith('@') && storedDtypes[file.tensors.get(name)!.dtype].reads !== 'integer'
  const entries = new Map([...file.tensors].filter(([name]) => isWeight(name)))
  const planned = transfer(model as AnyModel, entries, { otherShapes: 'new', strict, ...(tables === undefined ? {} : { tables: tables.right }), ...(ignore === undefined ? {} : { ignore }), ...(mode === undefined ? {} : { mode }) })
  if (planned._tag === 'Left') return planned
  const byName = new Map(planned.right.parameters.map(p => [p.parameter.attributes.name, p]))
  const weights = (name: string): TaskEither<Problem, Float32Array> => async () => {
    const found = byName.get(name)
    if (found === undefined) return left(problem('missingWeight', `weights: there is no '${name}' in this model`))
    const { source, parameter } = found
    if (source.kind === 'new') return right(initialise(parameter.attributes.initialiser, parameter.shape, seed, name))
    const read = await file.read(source.from)()
    if (read._tag === 'Left') return read
    const { data } = read.right
    if (!(data instanceof Float32Array)) return left(problem('weightMisfit', `weights: '${source.from}' holds ${read.right.dtype}, but a weight must be floats`))
    return source.kind === 'kept' ? right(data) : resizeTable(data, source.before, source.after.grid, antialias)
  }
  return right({ weights, report: planned.right.report })
}
