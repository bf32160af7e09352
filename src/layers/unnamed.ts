import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerHere } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/** The shape function of {@link unnamed}. */
export interface Unnamed<F extends ShapeFunction> extends ShapeFunction {
  readonly isUnnamed: true
  readonly out: Apply<F, this['in']>
  readonly path: string
  readonly inner: InnerHere<F, this['in'], this['path']>
}

/**
 * A layer that takes no name from the field it works on: in `fanOut` and `parallel` its parameters live where they
 * would without them, for checkpoints whose names know nothing of fields. `[...] → [...]` of the layer.
 * Errors: those of the layer.
 *
 * @example
 * pipe(inputs({ x: input(192), noise: input(7) }), parallel({ x: unnamed(linear(1000)) })) // Model<{ x: [192], noise: [7] }, { x: [1000], noise: [7] }>
 */
export const unnamed = <L extends AnyLayer>(layer: L): Layer<Unnamed<ShapeFunctionOf<L>>> =>
  defineLayer<Unnamed<ShapeFunctionOf<L>>, Signal, SignalShape>('unnamed', unnamed, [layer], {
    accepts: 'any',
    forward: (x, { apply }) => apply(layer, x),
  })

/** What generators may give {@link unnamed}. */
export const unnamedArguments: Arguments = [choice.layer()]
