import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../shape/problem.js'
import type { StoredDtype } from './storedDtype.js'

/** Where a tensor lies in a safetensors file: `shape` row-major, `begin ≤ end` in bytes from the start of the data. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/**
 * A tensor that was read. `dtype` is the one in the file; the data are in the one form models here take: float32
 * for every float dtype, int32 for every integer dtype and for BOOL (0 or 1). A value that int32 or float32 cannot
 * hold (an I64 beyond ±2³¹, a finite F64 beyond 3.4e38) makes the read a Problem rather than a wrong number.
 */
export interface StoredTensor {
  readonly name: string
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

/**
 * An open safetensors file, of which only the header has been read. The header is fully checked: every entry lies
 * inside the file, and together they cover it exactly.
 */
export interface Safetensors {
  /** The `__metadata__` texts; without a prototype, so that a key such as `constructor` is only there if stored. */
  readonly metadata: Readonly<Record<string, string>>
  /** In the order of the data, so that reading them in turn goes once through the file. */
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** Reads one tensor. Reads may run at the same time. Errors: `tensorMissing`, `dtypeNotRead`,
   * `valueDoesNotFit`, `tensorTooLarge`, `fileUnreadable`. */
  readonly read: (name: string) => TaskEither<Problem, StoredTensor>
  /** Lets the file go: reads of a file on disk are Problems afterwards, one in memory stays. Closing twice is fine. */
  readonly close: () => Promise<void>
}
