import type { Add, ConvSize, DivMod } from '../../shape/natural.js'
import { convSize } from '../../shape/natural.js'

/**
 * Zeros around an image: so many on every side (PyTorch's convention), or `same` (TensorFlow's): as many as
 * make `⌈size / stride⌉` positions, of which the odd one stands at the bottom and at the right.
 */
export type Padding = number | 'same'

/**
 * The positions of a window of size K moved by S over an axis of size A; `never` where it does not fit.
 *
 * @example
 * type T = Positions<29, 3, 2, 'same'> // 15
 */
export type Positions<A extends number, K extends number, S extends number, P extends Padding> = P extends number ? ConvSize<A, K, S, P> : DivideUp<A, S>
type DivideUp<A extends number, B extends number> = B extends 1 ? A : DivMod<A, B> extends [infer Q extends number, infer R] ? (R extends 0 ? Q : number extends R ? number : Add<Q, 1>) : never

/**
 * The run-time twin of {@link Positions}; `undefined` where the window does not fit.
 *
 * @example
 * positions(29, 3, 2, 'same') // 15
 */
export const positions = (size: number, kernel: number, stride: number, padding: Padding): number | undefined =>
  padding === 'same' ? Math.ceil(size / stride) : convSize(size, kernel, stride, padding)

/**
 * The zeros before and after one axis.
 *
 * @example
 * paddingSides(28, 3, 2, 'same') // [0, 1]
 */
export const paddingSides = (size: number, kernel: number, stride: number, padding: Padding): readonly [number, number] => {
  if (padding !== 'same') return [padding, padding]
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size)
  return [Math.floor(total / 2), Math.ceil(total / 2)]
}
