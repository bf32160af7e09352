import type { IsLess, Subtract } from '../../src/shape/natural.js'

/** `!a`, which the compiler works out where `a` is known to it. */
export const not = <const A extends boolean>(a: A): Not<A> => !a as Not<A>
export type Not<A> = A extends true ? false : A extends false ? true : boolean

/** `a && b`, which the compiler works out where it can. */
export const both = <const A extends boolean, const B extends boolean>(a: A, b: B): Both<A, B> => (a && b) as Both<A, B>
export type Both<A, B> = A extends true ? B : A extends false ? false : boolean

/** `a === b`, which the compiler works out where it can. */
export const is = <const A extends string | number, const B extends string | number>(a: A, b: B): Is<A, B> => ((a as string | number) === b) as Is<A, B>
export type Is<A, B> = string extends A ? boolean : number extends A ? boolean : [A] extends [B] ? true : false

/** `a < b`, which the compiler works out where it can. */
export const isLess = <const A extends number, const B extends number>(a: A, b: B): IsLess<A, B> => (a < b) as IsLess<A, B>

/** The smaller of two numbers, which the compiler works out where it can. */
export const least = <const A extends number, const B extends number>(a: A, b: B): Least<A, B> => Math.min(a, b) as Least<A, B>
export type Least<A extends number, B extends number> = boolean extends IsLess<A, B> ? number : IsLess<A, B> extends true ? A : B

/** `a − b`, which the compiler works out where it can. */
export const minus = <const A extends number, const B extends number>(a: A, b: B): Subtract<A, B> => (a - b) as Subtract<A, B>
