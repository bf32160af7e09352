import type { Add, DivMod } from '../../shape/natural.js'

/**
 * The pools that halve a map: the mean or the largest of 2×2 places, side by side, or of 3×3 places that
 * overlap, with a border that counts for nothing.
 */
export type PoolKind = 'average2' | 'average3' | 'max2' | 'max3'

/** The names a `pool` option may have. */
export const poolKinds = ['average2', 'average3', 'max2', 'max3'] as const satisfies readonly PoolKind[]

/** Where zeros stand around maps that blocks make smaller: alike on all sides (PyTorch), or as TensorFlow's `same` puts them. */
export type BlockPadding = 'symmetric' | 'same'

/** Whether half of an odd size is rounded up: `false` where 2×2 places leave the last row and column out. */
export type RoundsUp<K extends PoolKind, P extends BlockPadding> = [P] extends ['same'] ? true : [K] extends ['average3' | 'max3'] ? true : [K] extends ['average2' | 'max2'] ? ([P] extends ['symmetric'] ? false : boolean) : boolean

/** The run-time twin of {@link RoundsUp}. */
export const roundsUp = (kind: PoolKind, padding: BlockPadding): boolean => padding === 'same' || kind === 'average3' || kind === 'max3'

/**
 * Half of a size.
 *
 * @example
 * type T = [Half<57, true>, Half<57, false>] // [29, 28]
 */
export type Half<A extends number, Up extends boolean> =
  DivMod<A, 2> extends [infer Q extends number, infer R] ? (R extends 0 ? Q : number extends R ? number : [Up] extends [true] ? Add<Q, 1> : [Up] extends [false] ? Q : number) : never

/** The run-time twin of {@link Half}. */
export const half = (size: number, up: boolean): number => (up ? Math.ceil(size / 2) : Math.floor(size / 2))

/** What would fit where an odd map does not. */
export const evenSizes = 'an even height and an even width fit'
/** Its type. */
export type EvenSizes = typeof evenSizes
