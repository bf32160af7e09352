import { add, reshape } from '../ops/ops.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Arguments } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { image, type IfImage } from './core/preconditions.js'

/** Keeps a feature map. */
export interface KeepsImage<Name extends string> extends ShapeFunction {
  readonly out: IfImage<this['in'], Name, this['in']>
}

/**
 * Adds a learned position to each place of a feature map, stored as one row a place, as Swin does (Liu et al.,
 * 2021, section 4.4). `[height, width, dim] → [height, width, dim]`. On tokens, see `positionEmbed`.
 *
 * Parameters: `absolute_pos_embed [1, height·width, dim]`. Errors: `expectsImage`.
 *
 * @example
 * pipe(input(56, 56, 96), absolutePositionEmbed()) // Model<[56, 56, 96], [56, 56, 96]>
 */
export const absolutePositionEmbed = (): Layer<KeepsImage<'absolutePositionEmbed'>> =>
  defineLayer('absolutePositionEmbed', absolutePositionEmbed, [], {
    check: shape => image('absolutePositionEmbed', shape),
    parameters: shape => ({ absolute_pos_embed: { shape: [1, shape[0]! * shape[1]!, shape[2]!], initialiser: { kind: 'truncatedNormal', std: 0.02 } } }),
    traits: { reach: 'element', order: 'positional' },
    forward: (x, { parameters }) => add(x, reshape(parameters['absolute_pos_embed']!, x.shape)),
  })

/** What generators may give {@link absolutePositionEmbed}. */
export const absolutePositionEmbedArguments: Arguments = []
