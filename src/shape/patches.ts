import type { Add, DivMod, IsLess, Multiply, Subtract } from './natural.js'
import { divMod } from './natural.js'

/**
 * How many patches of size P, moved by S, tile an axis of size A exactly: `(A − P) ÷ S + 1`. `'large'`
 * where the patch exceeds the axis, `'remainder'` where pixels are left over.
 *
 * @example
 * type T = PatchCount<224, 16, 16> // 14
 */
export type PatchCount<A extends number, P extends number, S extends number> =
  [P, S] extends [S, P]
    ? DivMod<A, P> extends [infer Q extends number, infer R] ? (R extends 0 ? (Q extends 0 ? 'large' : Q) : number extends R ? number : Q extends 0 ? 'large' : 'remainder') : never
    : IsLess<A, P> extends true ? 'large'
    : DivMod<Subtract<A, P>, S> extends [infer Q extends number, infer R] ? (R extends 0 ? Add<Q, 1> : number extends R ? number : 'remainder') : never

/**
 * The run-time twin of {@link PatchCount}.
 *
 * @example
 * patchCount(224, 16, 16) // 14
 */
export const patchCount = (size: number, patch: number, stride: number): number | 'large' | 'remainder' => {
  if (size < patch) return 'large'
  const [count, rest] = divMod(size - patch, stride)
  return rest === 0 ? count + 1 : 'remainder'
}

/** The way out where patches leave a remainder: the sizes just below and above that fit. */
export type NearestSizes<A extends number, P extends number, S extends number> =
  DivMod<Subtract<A, P>, S> extends [infer Q extends number, number]
    ? Add<P, Multiply<Q, S>> extends infer Low extends number ? `the nearest sizes that fit: ${Low}, ${Add<Low, S>}` : never
    : never

/**
 * The run-time twin of {@link NearestSizes}.
 *
 * @example
 * nearestSizes(225, 16, 16) // 'the nearest sizes that fit: 224, 240'
 */
export const nearestSizes = (size: number, patch: number, stride: number): string => {
  const low = patch + divMod(size - patch, stride)[0] * stride
  return `the nearest sizes that fit: ${low}, ${low + stride}`
}

/** A size for both axes, or one for each: `16` or `[16, 8]` (height first). */
export type Pair = number | readonly [number, number]

/** The height of a pair. */
export type HeightOf<P extends Pair> = P extends readonly [infer A extends number, number] ? A : P extends number ? P : never

/** The width of a pair. */
export type WidthOf<P extends Pair> = P extends readonly [number, infer B extends number] ? B : P extends number ? P : never

/**
 * A pair written out.
 *
 * @example
 * pairOf(16) // [16, 16]
 */
export const pairOf = (pair: Pair): readonly [number, number] => (typeof pair === 'number' ? [pair, pair] : pair)
