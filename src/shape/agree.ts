import { isIntegers, isShape, sameShape, type Integers, type Shape, type SignalShape } from './shape.js'

/**
 * What two signals both are, if they are the same or may be once sizes are known (`number` may be any); as
 * precise as the two together. `never` where they cannot be the same.
 *
 * @example
 * type T = Agree<readonly [16, number], readonly [number, 24]> // readonly [16, 24]
 */
export type Agree<A, B> = [A, B] extends [B, A]
  ? A
  : A extends Shape ? (B extends Shape ? AgreeSizes<A, B> : never)
  : A extends Integers<infer I> ? (B extends Integers<infer J> ? (Agree<I, J> extends infer S extends Shape ? ([S] extends [never] ? never : Integers<S>) : never) : never)
  : B extends Shape | Integers ? never
  : [keyof A, keyof B] extends [keyof B, keyof A] ? ([Disagreeing<A, B>] extends [never] ? { readonly [K in keyof A]: Agree<A[K], B[K & keyof B]> } : never) : never

type AgreeSizes<A extends Shape, B extends Shape> = number extends A['length']
  ? B
  : number extends B['length'] ? A
  : [Blurred<A, B>, Blurred<B, A>] extends [Blurred<B, A>, Blurred<A, B>] ? { readonly [I in keyof A]: number extends A[I] ? B[I & keyof B] : A[I] } : never
/** A, without the sizes that B does not know. */
type Blurred<A extends Shape, B extends Shape> = { readonly [I in keyof A]: number extends B[I & keyof B] ? number : A[I] }
type Disagreeing<A, B> = { readonly [K in keyof A]: [Agree<A[K], B[K & keyof B]>] extends [never] ? K : never }[keyof A]

/**
 * Whether two signals are the same: tensors of the same sizes and kind, or records of such.
 *
 * @example
 * agree({ a: [3, 4] }, { a: [3, 5] }) // false
 */
export const agree = (a: SignalShape, b: SignalShape): boolean => {
  if (isShape(a) || isShape(b)) return isShape(a) && isShape(b) && sameShape(a, b)
  if (isIntegers(a) || isIntegers(b)) return isIntegers(a) && isIntegers(b) && sameShape(a.integers, b.integers)
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => Object.hasOwn(b, name) && agree(a[name]!, b[name]!))
}
