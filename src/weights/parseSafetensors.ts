import * as E from 'fp-ts/lib/Either.js'
import type { Problem } from '../shape/problem.js'
import { checkLayout } from './checkLayout.js'
import { headerLength } from './headerLength.js'
import { parseHeader } from './parseHeader.js'
import type { Safetensors } from './safetensors.js'
import { tensorReader } from './tensorReader.js'

/**
 * Opens a safetensors file that is in memory, as a browser gets it from `fetch`. Only the header is looked at; the
 * tensors are decoded when read, from `bytes` as they are then. `name` is what sentences call the file.
 *
 * Errors: those of `headerLength`, `parseHeader` and `checkLayout`. Source: the format section of
 * https://github.com/huggingface/safetensors and the checks of its Rust implementation.
 *
 * @example
 * parseSafetensors(new Uint8Array(4), 'a.safetensors')._tag // 'Left'
 */
export const parseSafetensors = (bytes: Uint8Array, name = 'safetensors'): E.Either<Problem, Safetensors> => {
  const length = headerLength(bytes.subarray(0, 8), bytes.length, name)
  if (E.isLeft(length)) return length
  const start = 8 + length.right
  const header = parseHeader(bytes.subarray(8, start), name)
  if (E.isLeft(header)) return header
  const tensors = checkLayout(header.right.entries, bytes.length - start, name)
  if (E.isLeft(tensors)) return tensors
  return E.right({
    metadata: header.right.metadata,
    tensors: tensors.right,
    read: tensorReader(tensors.right, async (at, size) => bytes.subarray(start + at, start + at + size), name),
    close: async () => {},
  })
}
