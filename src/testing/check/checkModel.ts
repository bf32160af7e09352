import { right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { cost } from '../../graph/cost.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel } from '../../layers/core/model.js'
import { showProblem, type Problem } from '../../shape/problem.js'
import { judged, silent, type Law, type Verdict } from '../laws/core/law.js'
import { Subject, type LawOptions } from '../laws/core/subject.js'
import { laws as allLaws } from '../laws/laws.js'
import { placesOf, type Place } from '../shrink/placesOf.js'
import { partsOf, type Part } from './partsOf.js'
import { shrunkFailure, type Smallest } from './shrunkFailure.js'

/** How a model is checked. */
export interface CheckOptions extends LawOptions {
  /** The laws to check (default: all). */
  readonly laws?: readonly Law[]
  /** Told of every check that is done. */
  readonly progress?: (done: number, total: number, what: string) => void
  /** Seconds that shrinking may take (default 60). */
  readonly shrinkSeconds?: number
}

/** What one law found on one part of a model. */
export interface Finding {
  readonly law: string
  /** The part: `whole`, or a layer and where it stands. */
  readonly part: Part
  /** A problem, where the law could not be checked. */
  readonly verdict: Verdict | { readonly is: 'failed'; readonly problem: Problem }
}

/** A law that does not hold, with the smallest model found on which it does not. */
export interface Failure {
  readonly law: Law
  readonly part: Part
  readonly evidence: string
  /** Other laws that do not hold of the same part. */
  readonly also: readonly string[]
  readonly smallest?: Smallest
}

/** What became of a model. */
export interface Checked {
  readonly findings: readonly Finding[]
  readonly failures: readonly Failure[]
  /** What was scaled down, in words, or empty. */
  readonly scaled: string
  readonly parts: number
}

/** Beyond so many multiply-adds of the whole model or elements of its weights it is not run at its real size. */
const affordable = { macs: 5e9, params: 1e8 } as const

/** Beyond this, laws that evaluate a model many times by definition leave it to its parts. */
const many = 3e5
/** Beyond this, so do those that evaluate it a few times. */
const few = 3e6

/**
 * Checks a model that traces against every law: at its real size those laws that only run it, then scaled down as a
 * whole, and each distinct layer in it alone, on what it is given there. Failures are shrunk. Errors: those of `trace`.
 *
 * @example
 * await checkModel(pipe(input(5, 8), linear(3)), { laws: [] })().then(checked => checked.right.failures) // []
 */
export const checkModel = (model: AnyModel, options: CheckOptions = {}): TaskEither<Problem, Checked> => async () => {
  const { laws = Object.values<Law>(allLaws), progress = () => undefined } = options
  const traced = trace(model)
  if (traced._tag === 'Left') return traced
  const { params, macs } = cost(traced.right)
  const parts = partsOf(model)
  const tooLarge = macs.total > affordable.macs || params > affordable.params
  const whole = parts.at(-1)!
  const isScaled = whole.scaled !== ''
  const all: readonly Part[] = isScaled && !tooLarge ? [...parts, { ...whole, name: 'whole, real size', model, scaled: '' }] : parts
  const findings: Finding[] = []
  const broken = new Set<unknown>()
  const total = all.length * laws.length
  let done = 0
  for (const part of all) {
    const subject = new Subject(part.model, options)
    const isReal = isScaled && part.model === model
    const weight = isReal ? Infinity : weightOf(part.model)
    // What holds a layer that broke a law breaks laws as well, and tells nothing new.
    const isTainted = broken.size > 0 && placesOf(part.model).flatMap(makesIn).some(make => broken.has(make))
    for (const law of laws) {
      progress(++done, total, `${part.name}: ${law.title}`)
      const isLarge = law.cost === 'many' ? weight > many : law.cost === 'few' && weight > few
      const verdict: Finding['verdict'] = isTainted ? silent('a layer in it does not obey') : law.about !== undefined && part.make !== undefined && !law.about.includes(part.make) ? silent('it is about other layers') : isLarge ? silent('checked on its parts, being large') : await verdictOf(law, subject)
      findings.push({ law: law.name, part, verdict })
    }
    if (part.kind !== 'whole' && findings.some(({ part: checked, verdict }) => checked === part && isWrong(verdict))) broken.add(part.make)
    subject.dispose()
  }
  const failures = await failuresOf(findings, laws, options)
  const scaled = isScaled ? `${whole.scaled}${tooLarge ? '; not run at its real size, which would take too long' : ''}` : ''
  return right({ findings, failures, scaled, parts: parts.length })
}

const isWrong = ({ is }: Finding['verdict']): boolean => is === 'broken' || is === 'failed'

const verdictOf = async (law: Law, subject: Subject): Promise<Finding['verdict']> => {
  const found = await judged(law, subject)()
  return found._tag === 'Right' ? found.right : { is: 'failed', problem: found.left }
}

const weightOf = (model: AnyModel): number => {
  const graph = trace(model)
  if (graph._tag === 'Left') return Infinity
  return cost(graph.right).macs.total + graph.right.nodes.reduce((total, { shape }) => total + shape.reduce((n, size) => n * size, 1), 0)
}

const makesIn = ({ layer, children }: Place): readonly unknown[] => [layer.definition.make, ...children.flatMap(makesIn)]

/** Each part that breaks laws, innermost first, is one failure: its first law is the one that tells most. */
const failuresOf = async (findings: readonly Finding[], laws: readonly Law[], options: CheckOptions): Promise<readonly Failure[]> => {
  const failures: Failure[] = []
  const parts = new Set(findings.filter(({ verdict }) => isWrong(verdict)).map(({ part }) => part))
  let seconds = options.shrinkSeconds ?? 60
  for (const part of parts) {
    const [first, ...others] = findings.filter(f => f.part === part && isWrong(f.verdict))
    const law = laws.find(({ name }) => name === first!.law)!
    const { verdict } = first!
    const evidence = verdict.is === 'failed' ? showProblem(verdict.problem) : verdict.is === 'broken' ? verdict.evidence : ''
    const began = Date.now()
    const smallest = seconds > 1 ? await shrunkFailure(part.model, law, { ...options, shrinkSeconds: seconds }) : undefined
    seconds -= (Date.now() - began) / 1000
    failures.push({ law, part, evidence, also: others.map(f => f.law), ...(smallest === undefined ? {} : { smallest }) })
  }
  return failures
}
