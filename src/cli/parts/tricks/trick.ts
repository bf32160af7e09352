import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../../backends/device.js'
import type { Problem } from '../../../shape/problem.js'
import type { Recorded } from './recorded.js'

/**
 * How near our numbers must come to those recorded, as a share of the largest of them: `exact` for whole numbers,
 * `double` for what both compute in double precision, `single` for values and `gradient` for gradients in single.
 */
export const nearness = { exact: 0, double: 1e-12, single: 1e-5, gradient: 1e-4 } as const

/** Our numbers beside those recorded. */
export interface Check {
  readonly ours: ArrayLike<number>
  readonly recorded: ArrayLike<number>
  readonly near: keyof typeof nearness
}

/** What replaying a trick gives: checks by key. */
export interface Replayed {
  readonly checks: Readonly<Record<string, Check>>
}

/** One kind of recording of a training trick. */
export interface Trick {
  /** The fields by which its recordings are known; `*.loss` is one that any object in it has. */
  readonly fields: readonly string[]
  /** Replays it through the public functions. Throws `Misread`. Files that it speaks of are in folders above its own. */
  readonly replay: (recorded: Recorded, backend: Backend, file: string) => TaskEither<Problem, Replayed>
}
