import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { parametersOf } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { show, sizeOf } from '../shape/shape.js'
import { initialise } from './initialise.js'
import { positionTables } from './positionTables.js'
import { resizeTable } from './resizeTable.js'
import { transfer, type TransferReport } from './transfer.js'

/** Options of {@link adaptWeights}. */
export interface AdaptOptions {
  /** For weights that begin anew (default 0). */
  readonly seed?: number
  /** Whether absolute position tables are resized with antialiasing, as timm does (default true); the repositories of DeiT and MAE do not. */
  readonly antialias?: boolean
}

/** Weights for a model, and what became of those they were made of. */
export interface Adapted {
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly report: TransferReport
}

/**
 * The weights of one model as weights of another: the same at another resolution, with another head, with LayerScale.
 * Position tables are resized (bicubic; of windows, on the grid of distances), a head of another size and parameters
 * that the first model has not begin anew, everything else is taken as it is, and must fit.
 *
 * Errors: those of `trace`; `missingWeight`, `weightMisfit` (the weights are not those of `from`); `nothingMatches`;
 * `weightsMisfit` (something else is of another shape).
 *
 * @example
 * adaptWeights(weights, vitTiny, replaceHead(vitTiny, 10).right).right.report.new.map(({ name }) => name) // ['linear.weight', 'linear.bias']
 */
export const adaptWeights = <I, S, J, T>(weights: ReadonlyMap<string, Float32Array>, from: Model<I, S>, to: Model<J, T>, { seed = 0, antialias = true }: AdaptOptions = {}): Either<Problem, Adapted> => {
  const traced = trace(from as AnyModel)
  if (traced._tag === 'Left') return traced
  const tables = positionTables(from as AnyModel)
  if (tables._tag === 'Left') return tables
  const entries = new Map(parametersOf(traced.right).map(({ attributes: { name }, shape }) => [name, { shape }]))
  for (const [name, { shape }] of entries) {
    const values = weights.get(name)
    if (values === undefined) return left(problem('missingWeight', `adaptWeights: there is no '${name}' (${show(shape)}) among the weights`, { remedy: 'give the model that the weights are of as the second argument' }))
    if (values.length !== sizeOf(shape)) return left(problem('weightMisfit', `adaptWeights: '${name}' has ${values.length} values, but ${show(shape)} needs ${sizeOf(shape)}`))
  }
  const planned = transfer(to as AnyModel, entries, { tables: tables.right, otherShapes: 'refuse' })
  if (planned._tag === 'Left') return planned
  const made = new Map<string, Float32Array>()
  for (const { parameter: { attributes: { name, initialiser }, shape }, source } of planned.right.parameters) {
    const values = source.kind === 'new' ? right(initialise(initialiser, shape, seed, name)) : source.kind === 'kept' ? right(weights.get(source.from)!) : resizeTable(weights.get(source.from)!, source.before, source.after.grid, antialias)
    if (values._tag === 'Left') return values
    made.set(name, values.right)
  }
  return right({ weights: made, report: planned.right.report })
}
