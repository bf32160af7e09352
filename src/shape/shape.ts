/** The sizes of a tensor's axes, without the batch axis, channels last: `[height, width, channels]`, `[tokens, channels]`. */
export type Shape = readonly number[]

/** The shape of a tensor of whole numbers (token ids), as distinct from one of floats. */
export interface Integers<S extends Shape = Shape> {
  readonly integers: S
}

/** What flows between layers: a tensor of floats, a tensor of integers, or a record of either. */
export type SignalShape = Shape | Integers | { readonly [name: string]: SignalShape }

declare const open: unique symbol
/** A signal of which the compiler knows nothing: what is at a path that only the run time knows. `expectShape` states what it is. */
export interface SomeSignal {
  readonly [open]: true
}

/** The element types a tensor may have. */
export type DType = 'float32' | 'int32'

/** Whether a signal's shape is that of one tensor of floats. */
export const isShape = (s: SignalShape): s is Shape => Array.isArray(s)

/** Whether a signal's shape is that of one tensor of integers. */
export const isIntegers = (s: SignalShape): s is Integers => !isShape(s) && Array.isArray((s as Integers).integers)

/** The number of elements: the product of the sizes. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** How many elements lie between neighbours along each axis, row by row: `[2, 3, 4] → [12, 4, 1]`. */
export const denseStrides = (shape: Shape): readonly number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))

/** Whether two shapes have the same sizes in the same order. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i])

type ShowTensor<S extends Shape> = S extends readonly [infer H extends number, ...infer T extends readonly number[]]
  ? T extends readonly [] ? ShowSize<H> : `${ShowSize<H>}×${ShowTensor<T>}`
  : S extends readonly [] ? 'a single number' : '?'
type ShowSize<N extends number> = number extends N ? '?' : `${N}`

/**
 * A shape as text: `197×192`; `?` for a size not known to the compiler.
 *
 * @example
 * type T = Show<readonly [197, 192]> // '197×192'
 */
export type Show<S> = S extends Shape ? ShowTensor<S> : S extends Integers<infer I> ? `integers ${ShowTensor<I>}` : S extends SomeSignal ? '?' : 'a record'

/**
 * A shape as text: `197×192`.
 *
 * @example
 * show([197, 192]) // '197×192'
 */
export const show = (s: SignalShape): string =>
  isShape(s) ? (s.length === 0 ? 'a single number' : s.join('×')) : isIntegers(s) ? `integers ${show(s.integers)}` : 'a record'

/**
 * A signal's shape in full, fields of records too, for tables and pictures.
 *
 * @example
 * showFields({ cls: [1000], dist: [1000] }) // 'cls 1000, dist 1000'
 */
export const showFields = (s: SignalShape): string =>
  isShape(s) || isIntegers(s) ? show(s) : Object.entries(s).map(([name, field]) => `${name} ${isShape(field) || isIntegers(field) ? show(field) : `(${showFields(field)})`}`).join(', ')
