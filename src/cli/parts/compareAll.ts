import { right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../shape/problem.js'
import type { StoredTensor } from '../../weights/safetensors.js'
import { compare, largestOf, type Compared } from './compare.js'
import type { Recording } from './recording.js'
import { isGradient, type Replayed } from './replay.js'

/** How far outputs and gradients may be off. */
export interface Tolerances {
  /** Absolute, and scaled by the largest element where that exceeds 1. */
  readonly outputs: number
  /** A share of the largest element. */
  readonly gradients: number
}

/**
 * A gradient that is zero but for rounding (of a bias before a batch norm, say) has no scale of its own: one below
 * `vanishing` of the largest in its recording is compared on a scale of `smallestScale` of that.
 */
const [vanishing, smallestScale] = [1e-5, 1e-2]

/** Every value of ours beside the one recorded. Errors: those of reading the recording. */
export const compareAll = ({ recorded }: Recording, values: ReadonlyMap<string, Replayed>, tolerances: Tolerances): TaskEither<Problem, ReadonlyMap<string, Compared & { readonly stored: StoredTensor }>> => async () => {
  const stored = new Map<string, StoredTensor>()
  for (const key of values.keys()) {
    const read = await recorded.read(key)()
    if (read._tag === 'Left') return read
    stored.set(key, read.right)
  }
  const steepest = [...stored].reduce((most, [key, { data }]) => (isGradient(key) ? Math.max(most, largestOf(data)) : most), 0)
  const scaleOf = ({ data }: StoredTensor): number => (largestOf(data) < vanishing * steepest ? smallestScale * steepest : 0)
  return right(new Map([...stored].map(([key, theirs]) => [key, { stored: theirs, ...(isGradient(key) ? compare(values.get(key)!, theirs, tolerances.gradients, scaleOf(theirs)) : compare(values.get(key)!, theirs, tolerances.outputs)) }])))
}
