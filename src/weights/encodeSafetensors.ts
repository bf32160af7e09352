import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { encodeElements } from './encodeElements.js'
import { dtypeToStore, encodedLayout, type TensorToStore } from './encodedLayout.js'

/**
 * The bytes of a safetensors file: F32 for float data, I32 or I64 for integers. The bytes depend only on what is
 * stored, not on its order (see `encodedLayout`).
 *
 * Errors: those of `encodedLayout`; `tensorTooLarge`.
 *
 * @example
 * encodeSafetensors([{ name: 'a', shape: [1], data: Float32Array.of(1) }])._tag // 'Right'
 */
export const encodeSafetensors = (
  tensors: readonly TensorToStore[],
  metadata: Readonly<Record<string, string>> = {},
): E.Either<Problem, Uint8Array> => {
  const layout = encodedLayout(tensors, metadata)
  if (E.isLeft(layout)) return layout
  const { header, ordered, fileBytes } = layout.right
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(fileBytes)
  } catch {
    return E.left(problem('tensorTooLarge', `safetensors: ${fileBytes} bytes are too many for memory`, {
      remedy: 'write them to a file with writeSafetensors',
    }))
  }
  bytes.set(header)
  let at = header.length
  for (const tensor of ordered) {
    const encoded = encodeElements(tensor.data, dtypeToStore(tensor), 0, tensor.data.length)
    bytes.set(encoded, at)
    at += encoded.length
  }
  return E.right(bytes)
}
