import { halfToFloat } from './halfToFloat.js'
import { isLittleEndian } from './isLittleEndian.js'
import { isStoredAsWanted } from './isStoredAsWanted.js'
import { storedDtypes, type StoredDtype } from './storedDtype.js'

/** Writes the value at byte `at` of `view` to element `to`; false if the value does not fit. */
type Decode = (view: DataView, at: number, to: number) => boolean

const floats = (dtype: StoredDtype, target: Float32Array): Decode | undefined => {
  // Bits are copied as integers: a signalling NaN would not survive a trip through a JavaScript number.
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length)
  switch (dtype) {
    case 'F32': return (view, at, to) => { bits[to] = view.getUint32(at, true); return true }
    case 'BF16': return (view, at, to) => { bits[to] = view.getUint16(at, true) << 16; return true }
    case 'F16': return (view, at, to) => { bits[to] = halfToFloat(view.getUint16(at, true)); return true }
    case 'F64': return (view, at, to) => {
      const value = view.getFloat64(at, true)
      target[to] = value
      return Number.isFinite(target[to]) || !Number.isFinite(value)
    }
    default: return undefined
  }
}

const integers = (dtype: StoredDtype, target: Int32Array): Decode | undefined => {
  switch (dtype) {
    case 'BOOL': return (view, at, to) => { target[to] = view.getUint8(at) === 0 ? 0 : 1; return true }
    case 'U8': return (view, at, to) => { target[to] = view.getUint8(at); return true }
    case 'I8': return (view, at, to) => { target[to] = view.getInt8(at); return true }
    case 'U16': return (view, at, to) => { target[to] = view.getUint16(at, true); return true }
    case 'I16': return (view, at, to) => { target[to] = view.getInt16(at, true); return true }
    case 'I32': return (view, at, to) => { target[to] = view.getInt32(at, true); return true }
    case 'U32': return (view, at, to) => (target[to] = view.getInt32(at, true)) >= 0
    // A 64-bit integer fits in 32 if its upper half only repeats the sign.
    case 'I64': return (view, at, to) => (target[to] = view.getInt32(at, true)) >> 31 === view.getInt32(at + 4, true)
    case 'U64': return (view, at, to) => (target[to] = view.getInt32(at, true)) >= 0 && view.getInt32(at + 4, true) === 0
    default: return undefined
  }
}

/**
 * Decodes whole little-endian elements of `dtype` from `bytes` into `target`, the first to `target[from]`: floats
 * (F16, BF16 exactly, F64 rounded to nearest) into a Float32Array, integers and BOOL into an Int32Array. Returns how
 * many were decoded: all of them, or fewer if the next one does not fit (an integer beyond int32, a finite F64 beyond
 * float32), or 0 if the dtype has no place in the target. `canCopy`: the
 * machine is little-endian too, so that F32 and I32 need no decoding.
 *
 * @example
 * decodeElements('U8', Uint8Array.of(7, 8), new Int32Array(2), 0) // 2
 */
export const decodeElements = (
  dtype: StoredDtype,
  bytes: Uint8Array,
  target: Float32Array | Int32Array,
  from: number,
  canCopy = isLittleEndian,
): number => {
  const decode = target instanceof Float32Array ? floats(dtype, target) : integers(dtype, target)
  if (decode === undefined) return 0
  if (isStoredAsWanted(dtype, canCopy)) {
    const whole = bytes.subarray(0, bytes.byteLength - (bytes.byteLength % 4))
    new Uint8Array(target.buffer, target.byteOffset + from * 4, whole.length).set(whole)
    return whole.length / 4
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = storedDtypes[dtype].bits / 8
  const count = Math.floor(bytes.byteLength / width)
  for (let i = 0; i < count; i++) if (!decode(view, i * width, from + i)) return i
  return count
}
