import { transpose as transposeOp } from '../ops/ops.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Arguments } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { tokens } from './core/preconditions.js'

/** The shape function of {@link transpose}. */
export interface Transpose extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number] ? readonly [C, N] : Expects<'expectsTokens', 'transpose', this['in']>
}

/**
 * Tokens and channels change places, so that what follows works on channels as if they were tokens: between two of
 * them an `mlp` mixes tokens (Tolstikhin et al., 2021, "MLP-Mixer", equation 1). `[tokens, dim] → [dim, tokens]`.
 * Errors: `expectsTokens`.
 *
 * @example
 * pipe(input(196, 512), residual(serial(layerNorm(), transpose(), mlp({ hiddenDim: 256 }), transpose()))) // Model<[196, 512], [196, 512]>
 */
export const transpose = (): Layer<Transpose> =>
  defineLayer('transpose', transpose, [], {
    check: shape => tokens('transpose', shape),
    forward: x => transposeOp(x, [1, 0]),
  })

/** What generators may give {@link transpose}. */
export const transposeArguments: Arguments = []
