import { constant, gather, pad, reshape, transpose } from '../ops/ops.js'
import type { Multiply } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { misfit, type Expects, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Positions, positions } from './core/padding.js'
import { firstOf, image, sizes } from './core/preconditions.js'
import { paddingFits, windowRows } from './core/windowRows.js'

/** Options of {@link unfold}. */
export interface UnfoldConfig<K extends number, S extends number, P extends number> {
  /** Height and width of the windows. */
  readonly size: K
  /** Pixels from one window to the next (default 1). */
  readonly stride?: S
  /** Rows and columns of zeros on every side (default 0). */
  readonly padding?: P
}

/** The shape function of {@link unfold}. */
export interface Unfold<K extends number, S extends number, P extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? Unfolded<H, W, C, K, Positions<H, K, S, P>, Positions<W, K, S, P>>
    : Expects<'expectsImage', 'unfold', this['in']>
}
type Unfolded<H extends number, W extends number, C extends number, K extends number, Rows extends number, Columns extends number> =
  [Rows] extends [never] ? WindowTooLarge<H, W, K> : [Columns] extends [never] ? WindowTooLarge<H, W, K> : readonly [Rows, Columns, Multiply<C, Multiply<K, K>>]
type WindowTooLarge<H extends number, W extends number, K extends number> = Misfit<'windowDoesNotFit', { layer: 'unfold'; size: K; height: H; width: W }, 'unfold'>

/**
 * Every window of an image as one vector: PyTorch's `Unfold`, T2T-ViT's soft split (Yuan et al., 2021, section 3.1).
 * `[height, width, channels] → [rows, columns, channels · size²]`, with `rows = ⌊(height + 2·padding − size) / stride⌋ + 1`
 * and columns likewise. Channel by channel, in each the window row by row.
 *
 * Errors: `expectsImage`, `windowDoesNotFit`, `notASize`, `notAPadding`.
 *
 * @example
 * pipe(input(224, 224, 3), unfold({ size: 7, stride: 4, padding: 2 })) // Model<[224, 224, 3], [56, 56, 147]>
 */
export const unfold = <const K extends number, const S extends number = 1, const P extends number = 0>(config: UnfoldConfig<K, S, P>): Layer<Unfold<K, S, P>> => {
  const { size, stride = 1, padding = 0 } = config
  return defineLayer('unfold', unfold, [config], {
    config: { size, stride, padding },
    check: shape => fit(shape, size, stride, padding),
    forward: x => {
      const [height, width, channels] = x.shape as readonly [number, number, number]
      const [down, across] = [height + 2 * padding, width + 2 * padding]
      const padded = padding === 0 ? x : pad(x, [padding, padding, 0], [down, across, channels])
      const { rows, columns, indices } = windowRows(down, across, size, stride)
      const taken = gather(reshape(padded, [down * across, channels]), constant(indices, [rows * columns, size * size]))
      return reshape(transpose(taken, [0, 2, 1]), [rows, columns, channels * size * size])
    },
  })
}

/** What generators may give {@link unfold}. */
export const unfoldArguments: Arguments = [choice.options({ size: choice.whole(1, 3) }, { stride: choice.whole(1, 3), padding: choice.whole(0, 2) })]

const fit = (shape: Shape, size: number, stride: number, padding: number): Problem | undefined =>
  firstOf(
    () => sizes('unfold', { size, stride }),
    () => paddingFits('unfold', size, padding),
    () => image('unfold', shape),
    () => {
      const [height, width] = shape as readonly [number, number]
      return positions(Math.min(height, width), size, stride, padding) === undefined ? misfit('windowDoesNotFit', { layer: 'unfold', size, height, width }) : undefined
    },
  )
