import { constant, reshape, scatterAdd, slice, transpose } from '../ops/ops.js'
import type { DivMod, Multiply } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { misfit, type Expects, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Positions, positions } from './core/padding.js'
import { firstOf, grids, image, sizes } from './core/preconditions.js'
import { paddingFits, windowRows } from './core/windowRows.js'

/** Options of {@link fold}. */
export interface FoldConfig<H extends number, W extends number, K extends number, S extends number, P extends number> {
  /** Height and width of the image to be made. */
  readonly imageSize: readonly [H, W]
  /** Height and width of the windows. */
  readonly size: K
  /** Pixels from one window to the next (default 1). */
  readonly stride?: S
  /** Rows and columns on every side of the image that the windows cover too (default 0). */
  readonly padding?: P
}

/** The shape function of {@link fold}. */
export interface Fold<H extends number, W extends number, K extends number, S extends number, P extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer Rows extends number, infer Columns extends number, infer C extends number]
    ? [Positions<H, K, S, P>] extends [never] ? WindowTooLarge<H, W, K>
    : [Positions<W, K, S, P>] extends [never] ? WindowTooLarge<H, W, K>
    : Folded<this['in'], H, W, K, Positions<H, K, S, P>, Positions<W, K, S, P>, Rows, Columns, DivMod<C, Multiply<K, K>>>
    : Expects<'expectsImage', 'fold', this['in']>
}
type Folded<In, H extends number, W extends number, K extends number, Rows extends number, Columns extends number, R extends number, C extends number, Split> =
  IsOther<Rows, R> extends true ? FoldMisfit<In, H, W, K, Rows, Columns>
  : IsOther<Columns, C> extends true ? FoldMisfit<In, H, W, K, Rows, Columns>
  : Split extends readonly [infer Channels extends number, infer Rest] ? (number extends Rest ? readonly [H, W, number] : Rest extends 0 ? readonly [H, W, Channels] : FoldMisfit<In, H, W, K, Rows, Columns>) : never
type IsOther<A extends number, B extends number> = number extends A | B ? false : A extends B ? false : true
type FoldMisfit<In, H extends number, W extends number, K extends number, Rows extends number, Columns extends number> =
  Misfit<'foldMisfit', { height: H; width: W; rows: Rows; columns: Columns; size: K; shape: Show<In> }, 'fold'>
type WindowTooLarge<H extends number, W extends number, K extends number> = Misfit<'windowDoesNotFit', { layer: 'fold'; size: K; height: H; width: W }, 'fold'>

/**
 * Windows put back where `unfold` took them from, and summed where they overlap: PyTorch's `Fold`.
 * `[rows, columns, channels · size²] → [height, width, channels]`.
 *
 * Errors: `expectsImage`, `windowDoesNotFit`, `foldMisfit`, `notAGrid`, `notASize`, `notAPadding`.
 *
 * @example
 * pipe(input(56, 56, 147), fold({ imageSize: [224, 224], size: 7, stride: 4, padding: 2 })) // Model<[56, 56, 147], [224, 224, 3]>
 */
export const fold = <const H extends number, const W extends number, const K extends number, const S extends number = 1, const P extends number = 0>(config: FoldConfig<H, W, K, S, P>): Layer<Fold<H, W, K, S, P>> => {
  const { imageSize, size, stride = 1, padding = 0 } = config
  return defineLayer('fold', fold, [config], {
    config: { imageSize, size, stride, padding },
    check: shape => fit(shape, imageSize, size, stride, padding),
    forward: x => {
      const [height, width] = imageSize
      const [down, across] = [height + 2 * padding, width + 2 * padding]
      const { rows, columns, indices } = windowRows(down, across, size, stride)
      const [pixels, channels] = [size * size, (x.shape[2] as number) / (size * size)]
      const windows = transpose(reshape(x, [rows * columns, channels, pixels]), [0, 2, 1])
      const padded = reshape(scatterAdd(constant(indices, [rows * columns, pixels]), windows, down * across, !x.batched), [down, across, channels])
      return padding === 0 ? padded : slice(padded, [padding, padding, 0], [height, width, channels])
    },
  })
}

/** What generators may give {@link fold}. */
export const foldArguments: Arguments = [choice.options({ imageSize: choice.pair(choice.axis('height'), choice.axis('width')), size: choice.whole(1, 2) }, { stride: choice.whole(1, 2), padding: choice.whole(0, 1) })]

const fit = (shape: Shape, imageSize: readonly [number, number], size: number, stride: number, padding: number): Problem | undefined =>
  firstOf(
    () => grids('fold', { imageSize }),
    () => sizes('fold', { height: imageSize[0], width: imageSize[1], size, stride }),
    () => paddingFits('fold', size, padding),
    () => image('fold', shape),
    () => {
      const [height, width] = imageSize
      const [rows, columns] = [positions(height, size, stride, padding), positions(width, size, stride, padding)]
      if (rows === undefined || columns === undefined) return misfit('windowDoesNotFit', { layer: 'fold', size, height, width })
      const fits = shape[0] === rows && shape[1] === columns && (shape[2] as number) % (size * size) === 0
      return fits ? undefined : misfit('foldMisfit', { height, width, rows, columns, size, shape: show(shape) })
    },
  )
