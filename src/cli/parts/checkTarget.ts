import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { recipes, type Recipe } from '../../../recipes/index.js'
import type { Backend } from '../../backends/device.js'
import { left, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import { cost } from '../../graph/cost.js'
import { trace } from '../../graph/trace.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { model as modelOf, type AnyModel } from '../../layers/core/model.js'
import { problem, showProblem, type Problem } from '../../shape/problem.js'
import { tracesLaw } from '../../testing/check/tracesLaw.js'
import { checkModel, type Checked, type Failure } from '../../testing/check/checkModel.js'
import { asPublishedLaw, publishedFailure } from '../../testing/check/publishedFailure.js'
import { recordedFingerprints } from '../../testing/fingerprints/recordedFingerprints.js'
import type { Law, Verdict } from '../../testing/laws/core/law.js'
import type { ReportedFailure, ReportedLaw, ReportedModel } from '../../testing/reporters/report.js'
import { countLayers } from '../../testing/shrink/countLayers.js'
import { toSource } from '../../testing/source/toSource.js'
import { placesOf, type Place } from '../../testing/shrink/placesOf.js'
import { shrinkModel } from '../../testing/shrink/shrinkModel.js'
import type { TypedModel } from '../../testing/types/typeProgram.js'
import { typesAgree, typesAgreeLaw } from '../../testing/types/typesAgree.js'
import { inputShape } from './inputShape.js'
import { lineOfLayer } from './lineOfLayer.js'
import { packageRoot } from './packageRoot.js'
import type { Subject } from './subject.js'

/** How targets are checked. */
export interface Checking {
  readonly backends: readonly Backend[]
  readonly seed: number
  readonly runs: number
  readonly laws: readonly Law[]
  /** Whether the laws that are not about one model at a time are asked for: the compiler's, and that of published recipes. */
  readonly asksCompiler: boolean
  readonly asksRecord: boolean
  readonly progress: (done: number, total: number, what: string) => void
}

/** A model that broke a law, for the file that makes it happen again. */
export interface Broken {
  readonly failure: ReportedFailure
  readonly model: AnyModel
}

/** A report on one model, and the models that broke laws, in the order of its failures. */
export interface CheckedTarget {
  readonly report: ReportedModel
  readonly broken: readonly Broken[]
}

/** Checks one model against every law that was asked for. Errors, in the report: those of `trace` and `checkModel`; `layerThrows`. */
export const checkTarget = async (subject: Subject, checking: Checking): Promise<CheckedTarget> => {
  const { id, model } = subject
  const began = Date.now()
  const about = { id, input: inputShape(model.input), seed: checking.seed, backend: checking.backends.map(({ name }) => name).join(',') }
  const seconds = (): number => (Date.now() - began) / 1000
  const traced = tracedOrThrown(model)
  if (traced._tag === 'Left') {
    const broken = [await misfit(subject, traced.left)]
    return { report: { ...about, ok: false, seconds: seconds(), laws: [], failures: broken.map(({ failure }) => failure), problem: traced.left }, broken }
  }
  const found = await checkModel(model, checking)()
  if (found._tag === 'Left') return { report: { ...about, ok: false, seconds: seconds(), laws: [], failures: [], problem: found.left }, broken: [] }
  const checked = found.right
  const broken = checked.failures.map(failure => reported(subject, failure))
  const laws: ReportedLaw[] = checking.laws.map(law => tally(law, checked))
  if (checking.asksCompiler) {
    const { law, failures } = await checkTypes(subject, checked)
    laws.push(law)
    // Where a layer was found already, types of large parts around it tell nothing new.
    broken.push(...failures.filter(({ model: typed }) => broken.length === 0 || countLayers(typed) <= 4))
  }
  if (checking.asksRecord && isPublished(id)) {
    const { law, failures } = checkPublished(subject, broken.length > 0)
    laws.push(law)
    broken.push(...failures)
  }
  const report: ReportedModel = {
    ...about, ok: broken.length === 0, output: shapeOfSignal(traced.right.output), params: cost(traced.right).params, scaled: checked.scaled, parts: checked.parts, seconds: seconds(), laws, failures: broken.map(({ failure }) => failure),
  }
  return { report, broken }
}

const tally = ({ name, title }: Law, { findings }: Checked): ReportedLaw => {
  const count = (...kinds: readonly string[]): number => findings.filter(({ law, verdict }) => law === name && kinds.includes(verdict.is)).length
  return { law: name, title, kept: count('kept'), silent: count('silent'), broken: count('broken', 'failed') }
}

const reported = (subject: Subject, { law, part, evidence, also, smallest }: Failure): Broken => ({
  model: smallest?.model ?? part.model,
  failure: {
    law: law.name, title: law.title, meaning: law.meaning, part: part.name, path: part.path, evidence, also, ...placeInFile(subject, part.path, part.kind),
    smallest: smallest === undefined ? { source: toSource(part.model), layers: countLayers(part.model), evidence: '' } : { source: smallest.source, layers: smallest.layers, evidence: smallest.evidence },
  },
})

/** A layer that throws is a fault in that layer, and no reason to stop. Errors: those of `trace`; `layerThrows`. */
const tracedOrThrown = (model: AnyModel): Either<Problem, Graph> => {
  try {
    return trace(model)
  } catch (fault) {
    const place = thrower(placesOf(model))
    const at = place === undefined ? {} : { path: `${place.path === '' ? '' : `${place.path} › `}${place.layer.definition.kind}` }
    return left(problem('layerThrows', `a layer throws: ${fault instanceof Error ? fault.message : String(fault)}`, { ...at, remedy: 'this is a fault in the layer: what it cannot do its `check` must refuse' }))
  }
}

/** The innermost layer that gave nothing. */
const thrower = (places: readonly Place[]): Place | undefined => {
  const place = places.find(({ output }) => output === undefined)
  return place === undefined ? undefined : (thrower(place.children) ?? place)
}

/** Layers that do not fit together, shrunk to the fewest that do not fit in that way. */
const misfit = async (subject: Subject, why: Problem): Promise<Broken> => {
  const alone = why.code === 'layerThrows' ? thrower(placesOf(subject.model)) : undefined
  const shrunk = alone === undefined ? await shrinkModel(subject.model, candidate => {
    const traced = trace(candidate)
    return traced._tag === 'Left' && traced.left.code === why.code
  }) : undefined
  const model = shrunk?.model ?? (modelOf(alone!.input, [alone!.layer]) as unknown as AnyModel)
  const [source, layers] = [toSource(model), countLayers(model)]
  const smaller = tracedOrThrown(model)
  const [, kind = ''] = /› (\w+)$/.exec(why.path) ?? []
  const { name, title, meaning } = tracesLaw
  return { model, failure: { law: name, title, meaning, part: why.path === '' ? 'whole' : why.path, path: why.path, evidence: showProblem(why), also: [], ...placeInFile(subject, why.path.replace(/ ›.*/, ''), kind), smallest: { source, layers, evidence: smaller._tag === 'Left' ? showProblem(smaller.left) : '' } } }
}

const isCode = (file: string): boolean => /\.[mc]?[jt]s$/.test(file)

/** `FILE.ts#name` taken apart, where it is code. */
const fileOf = (id: string): { readonly file: string; readonly name: string | undefined } | undefined => {
  const [file, name] = id.split('#') as [string, string?]
  return isCode(file) ? { file, name } : undefined
}

const placeInFile = ({ id, model, exported }: Subject, path: string, kind: string): Pick<ReportedFailure, 'file' | 'line'> => {
  const at = fileOf(id)
  if (at === undefined) return {}
  const line = lineOfLayer(readFileSync(at.file, 'utf8'), model, path, kind, at.name ?? exported ?? 'default')
  return { file: at.file, ...(line === undefined ? {} : { line }) }
}

/** Asks the compiler about the model as the user wrote it, and about every part. */
const checkTypes = async (subject: Subject, checked: Checked): Promise<{ readonly law: ReportedLaw; readonly failures: readonly Broken[] }> => {
  const { id, model, exported } = subject
  const at = fileOf(id)
  const written: TypedModel =
    at !== undefined && /\.[mc]?ts$/.test(at.file) ? { name: id, model, exported: { module: resolve(at.file), binding: `${at.name ?? exported ?? 'default'} as given`, expression: 'given' } }
    : isPublished(id) ? { name: id, model, exported: { module: 'vitrail/recipes', binding: 'recipes', expression: `recipes[${JSON.stringify(id)}]` } }
    : { name: id, model }
  const parts = [...new Set(checked.findings.map(({ part }) => part))].filter(({ kind }) => kind !== 'whole')
  const { verdicts } = await typesAgree([...parts, written], packageRoot(), [...(at === undefined ? [] : [dirname(resolve(at.file))]), process.cwd()])
  const count = (is: Verdict['is']): number => verdicts.filter(verdict => verdict.is === is).length
  const law = { law: typesAgreeLaw.name, title: typesAgreeLaw.title, kept: count('kept'), silent: count('silent'), broken: count('broken') }
  const failures = verdicts.flatMap((verdict, i): readonly Broken[] => {
    if (verdict.is !== 'broken') return []
    const part = parts[i]
    const smallest = part?.model ?? model
    return [{ model: smallest, failure: { law: law.law, title: law.title, meaning: typesAgreeLaw.meaning, part: part?.name ?? 'whole', path: part?.path ?? '', evidence: verdict.evidence, also: [], ...placeInFile(subject, part?.path ?? '', part?.kind ?? ''), smallest: { source: toSource(smallest), layers: countLayers(smallest), evidence: '' } } }]
  })
  // What holds a layer whose type is wrong is wrong too, and tells nothing new.
  const [first] = [...failures].sort((a, b) => countLayers(a.model) - countLayers(b.model))
  return { law, failures: first === undefined ? [] : [first] }
}

const published = recipes as unknown as Readonly<Record<string, Recipe>>
const isPublished = (id: string): boolean => Object.hasOwn(published, id)

/** Of a recipe that cannot even be evaluated, other laws tell more, where they were broken. */
const checkPublished = ({ id }: Subject, isBroken: boolean): { readonly law: ReportedLaw; readonly failures: readonly Broken[] } => {
  const recorded = recordedFingerprints(readFileSync(join(packageRoot(), 'recipes', 'fingerprints.json'), 'utf8')).get(id)
  const { name, title, meaning } = asPublishedLaw
  if (recorded === undefined) return { law: { law: name, title, kept: 0, silent: 1, broken: 0 }, failures: [] }
  const found = publishedFailure(published[id]!, recorded)
  if (found._tag === 'Right' && found.right === undefined) return { law: { law: name, title, kept: 1, silent: 0, broken: 0 }, failures: [] }
  if (found._tag === 'Left' && isBroken) return { law: { law: name, title, kept: 0, silent: 0, broken: 1 }, failures: [] }
  const { evidence, smallest } = found._tag === 'Left' ? { evidence: found.left.sentence, smallest: published[id]!.model } : found.right!
  return { law: { law: name, title, kept: 0, silent: 0, broken: 1 }, failures: [{ model: smallest, failure: { law: name, title, meaning, part: 'recipe', path: '', evidence, also: [], smallest: { source: toSource(smallest), layers: countLayers(smallest), evidence: 'here it differs first from what was published' } } }] }
}
