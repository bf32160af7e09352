import type { Multiply } from '../shape/natural.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, image, oneOf, sizes } from './core/preconditions.js'
import { resampled, type ResizeKind, resizeKinds } from './core/resampling.js'

/** Options of {@link upsample}. */
export interface UpsampleConfig {
  /** Default `bilinear`. */
  readonly kind?: ResizeKind
}

/** The shape function of {@link upsample}. */
export interface Upsample<N extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number] ? readonly [Multiply<H, N>, Multiply<W, N>, C] : Expects<'expectsImage', 'upsample', this['in']>
}

/**
 * A map some times as large along both sides, interpolated between the centres of its places (PyTorch's
 * `align_corners=False`). `[height, width, channels] → [factor·height, factor·width, channels]`.
 * For a size in pixels there is `resize`. Errors: `expectsImage`, `notASize`, `unknownOption`.
 *
 * @param factor a whole number
 *
 * @example
 * pipe(input(14, 14, 150), upsample(16)) // Model<[14, 14, 150], [224, 224, 150]>
 */
export const upsample = <const N extends number>(factor: N, config: UpsampleConfig = {}): Layer<Upsample<N>> => {
  const { kind = 'bilinear' } = config
  return defineLayer('upsample', upsample, [factor, config], {
    config: { factor, kind },
    check: shape => firstOf(() => sizes('upsample', { factor }), () => oneOf('upsample', 'kind', kind, resizeKinds), () => image('upsample', shape)),
    traits: { reach: 'channel' },
    forward: x => resampled(x, factor * x.shape[0]!, factor * x.shape[1]!, kind),
  })
}

/** What generators may give {@link upsample}. */
export const upsampleArguments: Arguments = [choice.whole(1, 3), choice.options({}, { kind: choice.among(...resizeKinds) })]
