/**
 * The bits of the float32 with the same value as the IEEE 754 half with the bits `half` (0 to 65535): subnormal
 * halves become normal floats, infinities stay, a NaN keeps its sign and payload. Every half is exact in float32.
 *
 * @example
 * halfToFloat(0x3c00) // 0x3f800000
 */
export const halfToFloat = (half: number): number => {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 31
  const fraction = half & 0x3ff
  // 112 is the difference of the exponent biases, 127 − 15; 13 that of the fraction widths.
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0
  if (fraction === 0) return sign >>> 0
  const shift = Math.clz32(fraction) - 21 // brings the leading one to bit 10, where it is implicit
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0
}
