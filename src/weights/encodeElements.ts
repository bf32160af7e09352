import { isLittleEndian } from './isLittleEndian.js'

/**
 * The little-endian bytes of elements `from` to `to` of a tensor's data, as F32, I32 or (sign-extended) I64. NaN
 * payloads survive: floats are copied as bits. Where the bytes in memory are the ones to store (`canShare`: the machine
 * is little-endian too), the result is a view of `data`, not a copy.
 *
 * @example
 * encodeElements(Int32Array.of(1), 'I32', 0, 1) // Uint8Array.of(1, 0, 0, 0)
 */
export const encodeElements = (
  data: Float32Array | Int32Array,
  dtype: 'F32' | 'I32' | 'I64',
  from: number,
  to: number,
  canShare = isLittleEndian,
): Uint8Array => {
  if (canShare && dtype !== 'I64') return new Uint8Array(data.buffer, data.byteOffset + from * 4, (to - from) * 4)
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length)
  const width = dtype === 'I64' ? 8 : 4
  const bytes = new Uint8Array((to - from) * width)
  const view = new DataView(bytes.buffer)
  for (let i = from; i < to; i++) {
    const at = (i - from) * width
    view.setInt32(at, bits[i]!, true)
    if (width === 8) view.setInt32(at + 4, bits[i]! >> 31, true)
  }
  return bytes
}
