import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AnyModel, Model } from '../../../layers/core/model.js'
import { problem, showProblem, type Problem } from '../../../shape/problem.js'
import { Subject, Trouble, type LawOptions } from './subject.js'

/** What a law found: it holds, it does not (with the evidence), or it has nothing to say about this model, and why. */
export type Verdict =
  | { readonly is: 'kept'; readonly note?: string }
  | { readonly is: 'broken'; readonly evidence: string }
  | { readonly is: 'silent'; readonly why: string }

/** How much work a law is: `trace` runs nothing, `run` a few samples on a backend, `few` some by definition, `many` a lot of them. */
export type LawCost = 'trace' | 'run' | 'few' | 'many'

/** How a law is written down. */
export interface LawParts {
  /** Its name on the command line: `batchIndependence`. */
  readonly name: string
  /** The law as a sentence. */
  readonly title: string
  /** What it means where it does not hold, and where to look. */
  readonly meaning: string
  readonly cost: LawCost
  /** The constructors of the layers it is about; where it is broken they are at fault, whatever they hold. Absent: all. */
  readonly about?: readonly unknown[]
  /** Judges a model. Problems may be thrown as `Trouble`. */
  readonly judge: (subject: Subject) => Verdict | Promise<Verdict>
}

/** Something that is true of every model, with a way to find out whether it is. */
export interface Law extends LawParts {
  /** Checks one model. Errors: those of `trace` and `compile`, `lawFailed` (a fault in the law itself). */
  readonly check: <I, S>(model: Model<I, S>, options?: LawOptions) => TaskEither<Problem, Verdict>
}

/** Makes a law out of its parts. */
export const defineLaw = (parts: LawParts): Law =>
  Object.freeze({
    ...parts,
    check: <I, S>(model: Model<I, S>, options?: LawOptions): TaskEither<Problem, Verdict> => async () => {
      const subject = new Subject(model as unknown as AnyModel, options)
      try {
        return await judged(parts, subject)()
      } finally {
        subject.dispose()
      }
    },
  })

/** A law's verdict on a subject that others judge too. Errors: as {@link Law.check}. */
export const judged = (law: LawParts, subject: Subject): TaskEither<Problem, Verdict> => async () => {
  try {
    return right(await law.judge(subject))
  } catch (fault) {
    if (fault instanceof Trouble) return left(fault.problem)
    return left(problem('lawFailed', `${law.name}: ${fault instanceof Error ? fault.message : String(fault)}`))
  }
}

/** It holds. */
export const kept = (note?: string): Verdict => (note === undefined ? { is: 'kept' } : { is: 'kept', note })

/** It does not, and this shows it. */
export const broken = (evidence: string): Verdict => ({ is: 'broken', evidence })

/** It says nothing about this model. */
export const silent = (why: string): Verdict => ({ is: 'silent', why })

/**
 * Throws where a model does not obey a law, for runners that want exceptions.
 *
 * @example
 * await obey(pipe(input(5, 8), layerNorm()), defineLaw({ name: 'any', title: 'anything goes', meaning: 'Never.', cost: 'trace', judge: () => kept() })) // undefined
 */
export const obey = async <I, S>(model: Model<I, S>, law: Law, options?: LawOptions): Promise<void> => {
  const found = await law.check(model, options)()
  if (found._tag === 'Left') throw new Error(`${law.name}: ${showProblem(found.left)}`)
  if (found.right.is === 'broken') throw new Error(`${law.title}: ${found.right.evidence}\n${law.meaning}`)
}
