import { fnv1a32 } from './fnv1a32.js'
import { mulberry32 } from './mulberry32.js'
import { sizeOf } from '../shape/shape.js'

/**
 * Reproducible stand-ins for trained weights, bit for bit the same in any language: element i, in row-major order
 * of `shape`, is float32(offset + s · u) with u = (r >>> 8) / 2²³ − 1 in [−1, 1) and r the i-th draw of
 * mulberry32(FNV1a32(salt + '|' + key)). Product and sum are in float64 and rounded once.
 * The reference recordings of this project were made with it.
 *
 * @example
 * formulaWeights('cls_token', [1, 1, 2], 0, 0.5, 'open:vit:vit_cls_a').length // 2
 */
export const formulaWeights = (
  key: string,
  shape: readonly number[],
  offset: number,
  s: number,
  salt: number | string,
): Float32Array => {
  const draw = mulberry32(fnv1a32(`${salt}|${key}`))
  const values = new Float32Array(sizeOf(shape))
  for (let i = 0; i < values.length; i++) values[i] = offset + s * ((draw() >>> 8) / 8388608 - 1)
  return values
}
