import { reshape } from '../ops/ops.js'
import type { Multiply } from '../shape/natural.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Arguments } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { image } from './core/preconditions.js'

/** The shape function of {@link flattenTokens}. */
export interface FlattenTokens extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? readonly [Multiply<H, W>, C]
    : Expects<'expectsImage', 'flattenTokens', this['in']>
}

/**
 * Reads a feature map row by row as a sequence of tokens. `[height, width, channels] → [height·width, channels]`.
 *
 * Errors: `expectsImage`.
 *
 * @example
 * pipe(input(14, 14, 192), flattenTokens()) // Model<[14, 14, 192], [196, 192]>
 */
export const flattenTokens = (): Layer<FlattenTokens> =>
  defineLayer('flattenTokens', flattenTokens, [], {
    check: shape => image('flattenTokens', shape),
    traits: { reach: 'channel' },
    forward: x => {
      const [height, width, channels] = x.shape as readonly [number, number, number]
      return reshape(x, [height * width, channels])
    },
  })

/** What generators may give {@link flattenTokens}. */
export const flattenTokensArguments: Arguments = []
