import { type Add, divMod, type DivMod, type IsLess, type Multiply } from '../../shape/natural.js'
import { pairOf, type Pair } from '../../shape/patches.js'

/**
 * What becomes of a window that is larger than the map, and of its shift:
 * - `each`: along each axis on its own, the window becomes the map and nothing is shifted (timm);
 * - `both`: if that is so along one axis, the window is the map's shorter side, and nothing is shifted (Microsoft);
 * - `never`: windows and shifts stay as they are.
 */
export type WindowClamp = 'each' | 'both' | 'never'

/** The window a map gets, `[height, width]`; unknown where the clamp is. */
export type FitWindow<H extends number, W extends number, WH extends number, WW extends number, K extends WindowClamp> =
  WindowClamp extends K ? [number, number]
  : K extends 'never' ? [WH, WW]
  : K extends 'each' ? [Lesser<H, WH>, Lesser<W, WW>]
  : [Lesser<H, WH>, Lesser<W, WW>] extends [WH, WW] ? [WH, WW] : [Lesser<H, W>, Lesser<H, W>]

type Lesser<A extends number, B extends number> = IsLess<A, B> extends infer L ? (L extends true ? A : boolean extends L ? number : B) : never

/** `true` where windows are known to leave a remainder. */
export type LeavesRest<A extends number, W extends number> = DivMod<A, W> extends readonly [number, infer R] ? (number extends R ? false : R extends 0 ? false : true) : false

/** A map's windows: their size, and how far the map is rolled before it is cut. */
export interface FittedWindow {
  readonly size: readonly [number, number]
  readonly shift: readonly [number, number]
}

/**
 * The run-time twin of {@link FitWindow}, with the shift that is left.
 *
 * @example
 * fitWindow(7, 14, 7, 3, 'each') // { size: [7, 7], shift: [0, 3] }
 * fitWindow(8, 8, [4, 8], 1, 'both') // { size: [4, 8], shift: [0, 0] }
 */
export const fitWindow = (height: number, width: number, windowSize: Pair, shift: Pair, clamp: WindowClamp): FittedWindow => {
  const [window, by, map] = [pairOf(windowSize), pairOf(shift), [height, width] as const]
  const covers = [height <= window[0], width <= window[1]] as const
  if (clamp === 'never' || !(covers[0] || covers[1])) return { size: window, shift: by }
  // A window as large as the map is not clamped, though it cannot shift.
  const isLarger = height < window[0] || width < window[1]
  if (clamp === 'both') return { size: isLarger ? [Math.min(height, width), Math.min(height, width)] : window, shift: [0, 0] }
  const along = <T>(axis: 0 | 1, then: T, otherwise: T): T => (covers[axis] ? then : otherwise)
  return { size: [along(0, map[0], window[0]), along(1, map[1], window[1])], shift: [along(0, 0, by[0]), along(1, 0, by[1])] }
}

/** Whether windows of this size leave a remainder along an axis. */
export const leavesRest = (size: number, window: number): boolean => divMod(size, window)[1] !== 0

/** The way out where windows leave a remainder: the sizes just below and above that divide. */
export type Multiples<A extends number, W extends number> = DivMod<A, W> extends [infer Q extends number, number]
  ? Q extends 0 ? `the nearest size that fits: ${W}` : `the nearest sizes that fit: ${Multiply<Q, W>}, ${Multiply<Add<Q, 1>, W>}`
  : never

/** The run-time twin of {@link Multiples}. */
export const multiples = (size: number, window: number): string => {
  const [count] = divMod(size, window)
  return count === 0 ? `the nearest size that fits: ${window}` : `the nearest sizes that fit: ${count * window}, ${(count + 1) * window}`
}
