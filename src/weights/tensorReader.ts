import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../shape/problem.js'
import { reasonOf } from '../shape/reasonOf.js'
import { decodeElements } from './decodeElements.js'
import { isStoredAsWanted } from './isStoredAsWanted.js'
import { quoted } from './quoted.js'
import type { StoredTensor, TensorEntry } from './safetensors.js'
import { storedDtypes } from './storedDtype.js'

/** Gives `length` bytes from byte `at` of the data on; rejects if there are fewer. Who has to copy them puts them into `into`, if that is given, and gives it back. */
export type ReadBytes = (at: number, length: number, into: Uint8Array | undefined) => Promise<Uint8Array>

/** How much is read at once: a multiple of every element's width. */
const chunkBytes = 4 << 20

/**
 * The `read` of an open safetensors file over any source of bytes: a buffer, a file, a network range. A tensor is
 * decoded chunk by chunk into its final array, so besides the result only 4 MiB are held; what is stored as it is wanted
 * is read into that array at once.
 *
 * Errors: `tensorMissing`, `dtypeNotRead`, `valueDoesNotFit`, `tensorTooLarge`, `fileUnreadable`.
 *
 * @example
 * typeof tensorReader(new Map(), async () => new Uint8Array(), 'x')('head.bias') // 'function'
 */
export const tensorReader =
  (tensors: ReadonlyMap<string, TensorEntry>, readBytes: ReadBytes, file: string) =>
  (name: string): TaskEither<Problem, StoredTensor> =>
  async () => {
    const entry = tensors.get(name)
    if (entry === undefined) {
      return E.left(problem('tensorMissing', `${file}: no tensor ${quoted(name)} among its ${tensors.size}`))
    }
    const target = allocate(entry, file)
    if (E.isLeft(target)) return target
    const data = target.right
    let done = 0
    for (let at = entry.begin; at < entry.end; at += chunkBytes) {
      const length = Math.min(chunkBytes, entry.end - at)
      const place = isStoredAsWanted(entry.dtype) ? new Uint8Array(data.buffer, done * 4, length) : undefined
      let bytes: Uint8Array
      try {
        bytes = await readBytes(at, length, place)
      } catch (cause) {
        return E.left(problem('fileUnreadable', `${file}: ${quoted(name)} cannot be read: ${reasonOf(cause)}`))
      }
      const decoded = bytes === place ? length / 4 : decodeElements(entry.dtype, bytes, data, done)
      done += decoded
      if (decoded * storedDtypes[entry.dtype].bits < bytes.length * 8) {
        const form = data instanceof Float32Array ? 'float32' : 'int32'
        return E.left(problem('valueDoesNotFit',
          `${file}: element ${done} of ${quoted(name)} (${entry.dtype}) does not fit in ${form}`))
      }
    }
    return E.right({ name, dtype: entry.dtype, shape: entry.shape, data })
  }

const allocate = (entry: TensorEntry, file: string): E.Either<Problem, Float32Array | Int32Array> => {
  const { bits, reads } = storedDtypes[entry.dtype]
  if (reads === 'nothing') {
    return E.left(problem('dtypeNotRead', `${file}: ${quoted(entry.name)} is stored as ${entry.dtype}, which is not read`, {
      remedy: 'convert it to F32, F16 or BF16 first',
    }))
  }
  // The layout check has shown that the elements take exactly the entry's bytes, which exist.
  const count = ((entry.end - entry.begin) * 8) / bits
  try {
    return E.right(reads === 'float' ? new Float32Array(count) : new Int32Array(count))
  } catch {
    return E.left(problem('tensorTooLarge', `${file}: ${quoted(entry.name)} has ${count} elements, too many for memory`))
  }
}
