import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isComputed, parametersOf } from '../graph/graph.js'
import { heads } from '../graph/tree/heads.js'
import { trace } from '../graph/trace.js'
import type { Mode } from '../layers/core/layer.js'
import type { AnyModel } from '../layers/core/model.js'
import type { Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { sameShape, type Shape } from '../shape/shape.js'
import { matchWeights } from './matchWeights.js'
import { positionTables, type PositionTable } from './positionTables.js'
import { renamed, renamingOf, type Renaming } from './renaming.js'
import { tableOfShape } from './tableOfShape.js'

/** Where the values of one parameter come from. */
export type Source =
  | { readonly kind: 'kept'; readonly from: string }
  | { readonly kind: 'resized'; readonly from: string; readonly before: PositionTable; readonly after: PositionTable }
  /** Begun anew: nothing of that name was there, or something of another shape. */
  | { readonly kind: 'new'; readonly why: 'missing' | 'head' | 'otherShape' }

/** What became of the weights of one model, or of a checkpoint, in another model. */
export interface TransferReport {
  /** Taken as they were. */
  readonly kept: readonly string[]
  /** Position tables made for another grid. */
  readonly resized: readonly { readonly name: string; readonly from: readonly [number, number]; readonly to: readonly [number, number] }[]
  /** Begun anew: because there was nothing of the name, because the head is of another size, or because something else was of another shape. */
  readonly new: readonly { readonly name: string; readonly why: 'missing' | 'head' | 'otherShape' }[]
  /** What was there and has no place in the model, by its names in the checkpoint. */
  readonly unused: readonly string[]
  /** The prefix that names were rid of, or got. */
  readonly renaming?: Renaming
}

/** Where each parameter of a model comes from, and a report of it. */
export interface Transfer {
  readonly parameters: readonly { readonly parameter: Tensor<'parameter'>; readonly source: Source }[]
  readonly report: TransferReport
}

/** Options of {@link transfer}. */
export interface TransferOptions {
  /** Tables of the model the weights come from; else they are taken to be of square grids. */
  readonly tables?: ReadonlyMap<string, PositionTable>
  /** What becomes of a parameter of another shape that is neither a position table nor a head. */
  readonly otherShapes: 'refuse' | 'new'
  /** Whether every parameter must be there, and everything there be used. */
  readonly strict?: boolean
  /** Names in the checkpoint, or in the model, that are left alone. */
  readonly ignore?: (name: string) => boolean
  readonly mode?: Mode
}

/**
 * Plans how tensors of given names and shapes become the weights of a model. Reads no values.
 *
 * Errors: those of `trace`; `nothingMatches`; `weightsMisfit`.
 */
export const transfer = (to: AnyModel, entries: ReadonlyMap<string, { readonly shape: Shape }>, options: TransferOptions): Either<Problem, Transfer> => {
  const traced = trace(to, { mode: options.mode ?? 'inference' })
  if (traced._tag === 'Left') return traced
  const tables = positionTables(to)
  if (tables._tag === 'Left') return tables
  const found = heads(to)
  const isHead = (name: string): boolean => found._tag === 'Right' && found.right.some(({ path }) => name.startsWith(`${path}.`))
  const isIgnored = (name: string): boolean => isComputed(traced.right, name) || options.ignore?.(name) === true
  const parameters = parametersOf(traced.right)
  const names = parameters.map(p => p.attributes.name)
  const known = new Set(names)
  const there = [...entries.keys()].filter(name => !isIgnored(name))
  const renaming = renamingOf(there, names)
  const byName = new Map(there.flatMap(name => (renamed(name, renaming) === undefined ? [] : [[renamed(name, renaming)!, name] as const])))
  const sourceOf = (name: string, shape: Shape): Source => {
    const from = byName.get(name)
    const actual = from === undefined ? undefined : entries.get(from)!.shape
    if (from === undefined || actual === undefined) return { kind: 'new', why: 'missing' }
    const after = tables.right.get(name)
    const before = after === undefined ? undefined : (options.tables?.get(from) ?? options.tables?.get(name) ?? (sameShape(actual, shape) ? after : tableOfShape(actual, after)))
    if (before !== undefined && fits(before, after!)) return sameShape(before.grid, after!.grid) ? { kind: 'kept', from } : { kind: 'resized', from, before, after: after! }
    return sameShape(actual, shape) ? { kind: 'kept', from } : { kind: 'new', why: isHead(name) ? 'head' : 'otherShape' }
  }
  const made = parameters.map(parameter => ({ parameter, source: sourceOf(parameter.attributes.name, parameter.shape) }))
  const report = reportOf(made, there.filter(name => !known.has(renamed(name, renaming) ?? '')), renaming)
  if (report.kept.length + report.resized.length === 0) return left(nothingMatches(there, names))
  // Compared as they would be without tables, which are no misfit.
  const wrong = (source: Source): boolean => source.kind === 'new' && (options.strict === true || (source.why === 'otherShape' && options.otherShapes === 'refuse'))
  const misfits = new Set(made.filter(({ source }) => wrong(source)).map(({ parameter }) => parameter.attributes.name))
  const unused = options.strict === true ? new Set(report.unused) : new Set<string>()
  if (misfits.size + unused.size > 0) {
    const expected = parameters.filter(p => misfits.has(p.attributes.name)).map(p => ({ name: p.attributes.name, shape: p.shape }))
    const actual = new Map([...byName].filter(([name, from]) => misfits.has(name) || unused.has(from)).map(([name, from]) => [name, entries.get(from)!]))
    const others = [...unused].filter(name => renamed(name, renaming) === undefined).map(name => [name, entries.get(name)!] as const)
    const misfit = matchWeights(expected, new Map([...actual, ...others]))
    if (misfit._tag === 'Left') return misfit
  }
  return right({ parameters: made, report })
}

/** Whether one table can be resized to the other. */
const fits = (before: PositionTable, after: PositionTable): boolean => before.kind === after.kind && before.dim === after.dim && before.prefixTokens === after.prefixTokens && before.isTransposed === after.isTransposed

const reportOf = (made: Transfer['parameters'], unused: readonly string[], renaming: Renaming | undefined): TransferReport => ({
  kept: made.flatMap(({ parameter, source }) => (source.kind === 'kept' ? [parameter.attributes.name] : [])),
  resized: made.flatMap(({ parameter, source }) => (source.kind === 'resized' ? [{ name: parameter.attributes.name, from: source.before.grid, to: source.after.grid }] : [])),
  new: made.flatMap(({ parameter, source }) => (source.kind === 'new' ? [{ name: parameter.attributes.name, why: source.why }] : [])),
  unused,
  ...(renaming === undefined ? {} : { renaming }),
})

const nothingMatches = (there: readonly string[], wanted: readonly string[]): Problem =>
  problem('nothingMatches', `the weights have nothing in common with the model: none of ${there.length} names and shapes is one of its ${wanted.length}`, {
    expected: wanted.slice(0, 12).join('\n'),
    actual: there.slice(0, 12).join('\n'),
    remedy: `they begin with ${there.slice(0, 3).join(', ') || 'nothing'}, the model's with ${wanted.slice(0, 3).join(', ')}: is it another architecture?`,
  })
