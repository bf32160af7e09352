import { sameShape } from '../../shape/shape.js'
import type { StoredTensor } from '../../weights/safetensors.js'
import { layouts } from './layouts.js'
import type { Replayed } from './replay.js'

/** How far a tensor of ours is from the recorded one; `null` where there is no number. */
export interface Comparison {
  readonly maxAbs: number | null
  /** Relative to the largest element recorded. */
  readonly maxRel: number | null
  readonly ok: boolean
  /** Why there is no number. */
  readonly problem?: string
}

/** A comparison, and our values as the reference lays them out. */
export interface Compared {
  readonly comparison: Comparison
  readonly values?: Float32Array | Int32Array
}

/**
 * Compares in the reference's layout. It is ok up to `tolerance` of the largest element recorded, or of `scale`
 * where that is larger. Where two layouts have the recorded shape, the closer one is taken: a shape does not tell.
 */
export const compare = (replayed: Replayed, { shape, data }: StoredTensor, tolerance: number, scale = 1): Compared => {
  if ('missing' in replayed) return failed(replayed.missing)
  const laidOut = replayed.asStored === true ? (sameShape(replayed.shape, shape) ? [replayed.values] : []) : layouts.theirs(replayed.values, replayed.shape, shape)
  const [first, ...others] = laidOut.map(values => ({ values, distance: distance(values, data) }))
  if (first === undefined) return failed(`it is ${shape.join('×')} in the recording and ${replayed.shape.join('×')} here`)
  const { values, distance: maxAbs } = others.reduce((best, other) => (other.distance < best.distance || Number.isNaN(best.distance) ? other : best), first)
  if (!Number.isFinite(maxAbs)) return { comparison: { maxAbs: null, maxRel: null, ok: false, problem: 'there are values that are not finite' }, values }
  const largest = largestOf(data)
  return { comparison: { maxAbs, maxRel: largest === 0 ? maxAbs : maxAbs / largest, ok: maxAbs <= tolerance * Math.max(scale, largest) }, values }
}

/** The largest element, whatever its sign. */
export const largestOf = (values: ArrayLike<number>): number => distance(values, new Float32Array(values.length))

const failed = (problem: string): Compared => ({ comparison: { maxAbs: null, maxRel: null, ok: false, problem } })

/** The largest difference; NaN if one is not a number (which `Math.max` passes on). */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}
