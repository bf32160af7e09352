import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'

/** The longest header of the reference implementation, in bytes. */
const maxHeaderBytes = 100_000_000

/**
 * The length in bytes of a safetensors header: the first 8 bytes of the file as a little-endian integer, checked
 * against the size of the file so that nothing larger than the file is ever allocated for it.
 *
 * `prefix` is the file's beginning (8 bytes, fewer if the file is shorter), `fileBytes` the size of the whole file.
 * Errors: `fileTooShort`, `headerEmpty`, `headerTooLong`, `headerBeyondFile`.
 *
 * @example
 * headerLength(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0), 100, 'x') // { _tag: 'Right', right: 8 }
 */
export const headerLength = (prefix: Uint8Array, fileBytes: number, file: string): E.Either<Problem, number> => {
  if (prefix.length < 8 || fileBytes < 8) {
    return E.left(problem('fileTooShort', `${file}: ${fileBytes} bytes are too few for a safetensors file`))
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8)
  // Above 2⁵³ the sum is rounded, which a comparison with 10⁸ survives.
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
  if (length === 0) return E.left(problem('headerEmpty', `${file}: the header has length 0`))
  if (length > maxHeaderBytes) {
    return E.left(problem('headerTooLong', `${file}: the header claims ${length} bytes, more than ${maxHeaderBytes}`, {
      remedy: 'this is probably not a safetensors file',
    }))
  }
  if (length > fileBytes - 8) {
    return E.left(problem('headerBeyondFile', `${file}: the header claims ${length} bytes, the file has ${fileBytes}`, {
      remedy: 'the file is probably cut short',
    }))
  }
  return E.right(length)
}
