import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'

/** A tensor of bytes, row by row. */
export interface Idx {
  readonly shape: readonly number[]
  readonly values: Uint8Array
}

/**
 * Reads a file of the IDX format with unsigned bytes: two zeros, 8 for the type, the number of axes, each axis as a
 * 32-bit big-endian number, the bytes. Source: LeCun, Cortes and Burges, the MNIST database.
 *
 * Errors: `idxMalformed`, `idxTruncated`.
 *
 * @example
 * parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9), 'labels') // right({ shape: [2], values: Uint8Array.of(7, 9) })
 */
export const parseIdx = (bytes: Uint8Array, file: string): Either<Problem, Idx> => {
  if (bytes.length < 4) return left(problem('idxTruncated', `${file}: ends within the first four bytes`))
  const [first, second, type, rank] = bytes
  if (first !== 0 || second !== 0) return left(problem('idxMalformed', `${file}: not an IDX file: it begins with ${first} ${second}, not with 0 0`))
  if (type !== 8) return left(problem('idxMalformed', `${file}: its numbers are of type ${type}; only unsigned bytes, type 8, are read`))
  const start = 4 + 4 * rank!
  if (bytes.length < start) return left(problem('idxTruncated', `${file}: ends within its header`))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const shape = Array.from({ length: rank! }, (_, axis) => view.getUint32(4 + 4 * axis))
  const length = shape.reduce((product, size) => product * size, 1)
  if (bytes.length - start < length) return left(problem('idxTruncated', `${file}: ends too early`, { expected: `${length} bytes after the header`, actual: `${bytes.length - start}` }))
  if (bytes.length - start > length) return left(problem('idxMalformed', `${file}: holds more than its header says`, { expected: `${length} bytes after the header`, actual: `${bytes.length - start}` }))
  return right({ shape, values: bytes.subarray(start) })
}
