import type { Agree } from '../shape/agree.js'
import { sameShape, type Shape, show, type Show, type SomeSignal } from '../shape/shape.js'
import { misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'

/** The shape function of {@link expectShape}. */
export interface ExpectShape<E extends Shape> extends ShapeFunction {
  readonly out: this['in'] extends SomeSignal ? E : OrDiffers<E, this['in'], Agree<this['in'], E>>
}
type OrDiffers<E, S, Agreed> = [Agreed] extends [never] ? Differs<E, S> : Agreed
type Differs<E, S> = Misfit<'expectsShape', { expected: Show<E>; shape: Show<S> }, 'expectShape'>

/**
 * States the shape at this point of a recipe, and does nothing else: a comment the compiler checks.
 * `[...] → [...]`. Errors: `expectsShape`.
 *
 * @example
 * pipe(input(224, 224, 3), patchEmbed({ patchSize: 16, dim: 192 }), expectShape(14, 14, 192)) // Model<[224, 224, 3], [14, 14, 192]>
 */
export const expectShape = <const E extends Shape>(...shape: E): Layer<ExpectShape<E>> =>
  defineLayer('expectShape', expectShape, shape, {
    config: { shape },
    check: actual => (Array.isArray(actual) && sameShape(actual, shape) ? undefined : misfit('expectsShape', { expected: show(shape), shape: show(actual) })),
    traits: { reach: 'element' },
    forward: x => x,
  })

/** What generators may give {@link expectShape}. */
export const expectShapeArguments: Arguments = [choice.shape]
