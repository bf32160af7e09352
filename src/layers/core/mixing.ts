import type { Problem } from '../../shape/problem.js'
import { type Shape, show } from '../../shape/shape.js'
import { type Expects, misfit } from '../../shape/shapeError.js'
import type { ShapeFunction } from '../../shape/shapeFunction.js'

/** Mixes tokens, or the places of a map, into as many of `D` channels; `Name` is the layer's, for its sentence. */
export interface Mixes<Name extends string, D extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, number] ? readonly [N, D]
    : this['in'] extends readonly [infer H extends number, infer W extends number, number] ? readonly [H, W, D]
    : Expects<'expectsTokens', Name, this['in']>
}

/** The run-time twin of {@link Mixes}. */
export const mixes = (layer: string, shape: Shape): Problem | undefined => (shape.length === 2 || shape.length === 3 ? undefined : misfit('expectsTokens', { layer, shape: show(shape) }))
