const bits = new DataView(new ArrayBuffer(8))

const ln2High = 0.6931471803691238 // ln 2 with its low 33 bits cleared: k · ln2High is exact for |k| < 2³²
const ln2Low = 1.9082149292705877e-10 // the rest of ln 2

const odd = [1 / 23, 1 / 21, 1 / 19, 1 / 17, 1 / 15, 1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3] as const

/**
 * The natural logarithm of a positive, normal, finite double, the same bits on every machine: `Math.log` may
 * differ in its last bit between engines, while + − × ÷ may not. The relative error is below 4e-16.
 *
 * The argument is split exactly into 2^k · m with m in [√½, √2); then ln m = 2·artanh s with s = (m − 1)/(m + 1),
 * by its power series up to s²³, which is enough for |s| ≤ 0.1716. ln 2 is split as in fdlibm's `e_log.c`.
 *
 * @example
 * stableLog(1) // 0
 */
export const stableLog = (x: number): number => {
  bits.setFloat64(0, x)
  const high = bits.getUint32(0)
  bits.setUint32(0, (high & 0x000fffff) | 0x3ff00000)
  const mantissa = bits.getFloat64(0)
  const halve = mantissa > Math.SQRT2
  const m = halve ? mantissa / 2 : mantissa
  const k = (high >>> 20) - 1023 + (halve ? 1 : 0)
  const s = (m - 1) / (m + 1)
  const s2 = s * s
  let series = 0
  for (let i = 0; i < odd.length; i++) series = (series + odd[i]!) * s2
  return k * ln2High + (2 * s + (2 * s * series + k * ln2Low))
}
