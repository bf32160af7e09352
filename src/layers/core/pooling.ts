import { problem, type Problem } from '../../shape/problem.js'
import type { Shape } from '../../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../../shape/shapeError.js'
import type { ShapeFunction } from '../../shape/shapeFunction.js'
import { type Padding, type Positions, positions } from './padding.js'
import { firstOf, image, sizes } from './preconditions.js'

/** Options of a pooling layer. */
export interface PoolConfig<K extends number, S extends number, P extends Padding> {
  /** Height and width of the window. */
  readonly size: K
  /** Step in pixels; the size of the window unless given. */
  readonly stride?: S
  /** Rows and columns added on every side (default 0), PyTorch's convention; or `same`, TensorFlow's. */
  readonly padding?: P
}

/** The shape function of `maxPool` and `averagePool`; `Name` is the layer's, for its sentence. */
export interface Pool<Name extends string, K extends number, S extends number, P extends Padding> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? Pooled<Name, H, W, C, K, Positions<H, K, S, P>, Positions<W, K, S, P>>
    : Expects<'expectsImage', Name, this['in']>
}
type Pooled<Name extends string, H extends number, W extends number, C extends number, K extends number, Rows extends number, Columns extends number> =
  [Rows] extends [never] ? WindowTooLarge<Name, H, W, K> : [Columns] extends [never] ? WindowTooLarge<Name, H, W, K> : readonly [Rows, Columns, C]
type WindowTooLarge<Name extends string, H extends number, W extends number, K extends number> = Misfit<'windowDoesNotFit', { layer: Name; size: K; height: H; width: W }, Name>

/** The run-time twin of {@link Pool}. */
export const pools = (layer: string, shape: Shape, size: number, stride: number, padding: Padding): Problem | undefined =>
  firstOf(
    () => sizes(layer, { size, stride }),
    () => paddingFits(layer, size, padding),
    () => image(layer, shape),
    () => {
      const [height, width] = shape as readonly [number, number]
      return positions(Math.min(height, width), size, stride, padding) === undefined ? misfit('windowDoesNotFit', { layer, size, height, width }) : undefined
    },
  )

/** A window wholly in the padding would have nothing to pool. */
const paddingFits = (layer: string, size: number, padding: Padding): Problem | undefined =>
  padding === 'same' || (Number.isInteger(padding) && padding >= 0 && 2 * padding <= size)
    ? undefined
    : problem('notAPadding', `${layer}: padding must be 'same' or a whole number from 0 to half the window, got ${String(padding)}`)
