import type { AnyModel, InputSpec } from '../../layers/core/model.js'
import { judged, type Law } from '../laws/core/law.js'
import { Subject, type LawOptions } from '../laws/core/subject.js'
import { shrinkModel, type Shrunk } from '../shrink/shrinkModel.js'

/** The smallest model found on which a law still fails. */
export interface Smallest extends Shrunk {
  /** What the law says of it. */
  readonly evidence: string
}

/** Shrinks a model that breaks a law, within a time. */
export const shrunkFailure = async (model: AnyModel, law: Law, options: LawOptions & { readonly shrinkSeconds?: number }): Promise<Smallest> => {
  const evidenceOf = async (candidate: AnyModel): Promise<string | undefined> => {
    const subject = new Subject(candidate, options)
    try {
      const found = await judged(law, subject)()
      if (found._tag === 'Left') return found.left.sentence
      return found.right.is === 'broken' ? found.right.evidence : undefined
    } finally {
      subject.dispose()
    }
  }
  // One channel or one place obeys and breaks laws for reasons of its own: a norm over one channel is blind.
  const least = Math.min(3, ...widths(model.input))
  const isDegenerate = (candidate: AnyModel): boolean => widths(candidate.input).some(width => width < least)
  const shrunk = await shrinkModel(model, async candidate => !isDegenerate(candidate) && (await evidenceOf(candidate)) !== undefined, { seconds: options.shrinkSeconds ?? 60, trials: 300 })
  return { ...shrunk, evidence: (await evidenceOf(shrunk.model)) ?? '' }
}

const widths = (spec: InputSpec): readonly number[] => ('fields' in spec ? Object.values(spec.fields).flatMap(widths) : spec.dtype === 'int32' ? [] : [spec.shape.at(-1) ?? 3, ...(spec.shape.length > 1 ? [1 + spec.shape.slice(0, -1).reduce((n, size) => n * size, 1)] : [])])
