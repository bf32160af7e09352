/**
 * The names of a record's fields in alphabetical order. The compiler forgets in which order fields were
 * written, so errors, which must read the same at compile time and at run time, go by this one.
 *
 * @example
 * type T = FieldNames<{ text: 1; image: 2 }> // ['image', 'text']
 */
export type FieldNames<R> = Sorted<ListOf<keyof R & string>>

// A union of functions intersects their parameters, and of overloads the last one is inferred: one name is
// taken off the union at a time, in whatever order the compiler holds them.
type ListOf<U, Done extends readonly unknown[] = []> = [U] extends [never] ? Done : LastOf<U> extends infer L ? ListOf<Exclude<U, L>, [L, ...Done]> : never
type LastOf<U> = (U extends unknown ? (u: () => U) => void : never) extends (f: infer I) => void ? (I extends () => infer L ? L : never) : never

type Sorted<Names, Done extends readonly unknown[] = []> = Names extends readonly [infer N, ...infer Rest] ? Sorted<Rest, Insert<N, Done>> : Done
type Insert<N, Names extends readonly unknown[]> = Names extends readonly [infer Head, ...infer Rest] ? (IsBefore<N, Head> extends true ? [N, ...Names] : [Head, ...Insert<N, Rest>]) : [N]
type IsBefore<A, B> = A extends `${infer a}${infer AT}`
  ? B extends `${infer b}${infer BT}` ? (a extends b ? IsBefore<AT, BT> : Ascii extends `${string}${a}${string}${b}${string}` ? true : false) : false
  : true
type Ascii = ' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'

/**
 * The run-time twin of {@link FieldNames}.
 *
 * @example
 * fieldNames({ text: 1, image: 2 }) // ['image', 'text']
 */
export const fieldNames = (record: object): readonly string[] => Object.keys(record).sort()
