import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { Augmentation, Change, Erasing, Framing, Repeating } from './augmentation.js'
import { augmentationOf } from './augmentationOf.js'

/** A list of steps, sorted by what they do. */
export interface Augmentations {
  readonly steps: readonly Augmentation[]
  readonly framing: Framing | undefined
  readonly changes: readonly Change[]
  readonly erasings: readonly Erasing[]
  /** How often a sample stands in an epoch. */
  readonly times: number
}

/** What comes after what; how often samples are repeated can be said anywhere. */
const ranks = { framing: 0, change: 1, erasing: 2 } as const

const works = { framing: 'gives pictures their size, so it comes first, and only one such step can be', change: 'changes pictures, so it comes before steps that erase values', erasing: '' } as const

/**
 * Reads a list of steps, and whether they can follow each other: at most one that gives pictures their size, first; those
 * that erase values last. Errors: `notAList`, `augmentOrder`, those of `augmentationOf`.
 *
 * @example
 * augmentationsOf(['horizontalFlip', 'randomResizedCrop']).left.sentence // "augment: 'randomResizedCrop' gives pictures their size, so it comes first, and only one such step can be"
 */
export const augmentationsOf = (given: unknown): Either<Problem, Augmentations> => {
  if (!Array.isArray(given)) return left(problem('notAList', `augment: must be a list of steps, got ${JSON.stringify(given)}`, { remedy: "such as ['randomResizedCrop', 'horizontalFlip']" }))
  const steps: Augmentation[] = []
  for (const each of given as readonly unknown[]) {
    const step = augmentationOf(each)
    if (step._tag === 'Left') return step
    steps.push(step.right)
  }
  const of = <K extends Augmentation['kind']>(kind: K): readonly Extract<Augmentation, { readonly kind: K }>[] => steps.filter((step): step is Extract<Augmentation, { readonly kind: K }> => step.kind === kind)
  const repeating: readonly Repeating[] = of('repeating')
  if (repeating.length > 1) return left(problem('augmentOrder', "augment: 'repeated' can be said only once"))
  const ordered = steps.flatMap(step => (step.kind === 'repeating' ? [] : [step]))
  const late = ordered.find((step, i) => i > 0 && (step.kind === 'framing' || ranks[step.kind] < ranks[ordered[i - 1]!.kind]))
  if (late !== undefined) return left(problem('augmentOrder', `augment: '${late.name}' ${works[late.kind]}`))
  return right({ steps, framing: of('framing')[0], changes: of('change'), erasings: of('erasing'), times: repeating[0]?.times ?? 1 })
}
