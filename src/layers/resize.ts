import { type HeightOf, type Pair, pairOf, type WidthOf } from '../shape/patches.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, image, oneOf, pairs, sizes } from './core/preconditions.js'
import { resampled, type ResizeKind, resizeKinds } from './core/resampling.js'

/** Options of {@link resize}. */
export interface ResizeConfig {
  /** Default `bilinear`. */
  readonly kind?: ResizeKind
  /** Whether filters widen where the image shrinks, as in PIL (default false). */
  readonly antialias?: boolean
}

/** The shape function of {@link resize}. */
export interface Resize<P extends Pair> extends ShapeFunction {
  readonly out: this['in'] extends readonly [number, number, infer C extends number] ? readonly [HeightOf<P>, WidthOf<P>, C] : Expects<'expectsImage', 'resize', this['in']>
}

/**
 * An image at another size, interpolated between pixel centres (PyTorch's `align_corners=False`), or the
 * nearest pixels taken; as one product with a constant matrix for each axis. `[height, width, channels] → [rows, columns, channels]`.
 * Errors: `expectsImage`, `notAPair`, `notASize`, `unknownOption`.
 *
 * @param size pixels, one number for both axes or `[height, width]`
 *
 * @example
 * pipe(input(28, 28, 1), resize(32, { kind: 'bicubic' })) // Model<[28, 28, 1], [32, 32, 1]>
 */
export const resize = <const P extends Pair>(size: P, config: ResizeConfig = {}): Layer<Resize<P>> => {
  const { kind = 'bilinear', antialias = false } = config
  const [rows, columns] = pairOf(size)
  return defineLayer('resize', resize, [size, config], {
    config: { size, kind, antialias },
    check: shape => firstOf(() => pairs('resize', { size }), () => sizes('resize', { height: rows, width: columns }), () => oneOf('resize', 'kind', kind, resizeKinds), () => image('resize', shape)),
    traits: { reach: 'channel' },
    forward: x => resampled(x, rows, columns, kind, antialias),
  })
}

/** What generators may give {@link resize}. */
export const resizeArguments: Arguments = [choice.oneOrTwo(choice.whole(2, 8)), choice.options({}, { kind: choice.among(...resizeKinds), antialias: choice.flag })]
