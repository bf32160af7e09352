import type { Signal } from '../ops/tensor.js'
import { problem } from '../shape/problem.js'
import type { SignalShape } from '../shape/shape.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Under } from '../shape/under.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerUnder } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/** The shape function of {@link named}. */
export interface Named<N extends string, F extends ShapeFunction> extends ShapeFunction {
  readonly out: Under<N, F, this['in']>
  readonly path: string
  readonly inner: InnerUnder<N, F, this['in'], this['path']>
}

/**
 * A layer under a name of your own: its parameters, its place in errors and its output are found there.
 * The name replaces the layer's own scope. `[...] → [...]` of the layer. Errors: those of the layer, `badName`.
 *
 * @example
 * pipe(input(192), named('head', linear(1000))) // Model<[192], [1000]>
 */
export const named = <const N extends string, L extends AnyLayer>(name: N, layer: L): Layer<Named<N, ShapeFunctionOf<L>>> =>
  defineLayer<Named<N, ShapeFunctionOf<L>>, Signal, SignalShape>('named', named, [name, layer], {
    config: { name },
    accepts: 'any',
    check: () => (/^[A-Za-z_0-9]+(\.[A-Za-z_0-9]+)*$/.test(name) ? undefined : problem('badName', `named: '${name}' is no name; use letters, digits and underscores, with dots between parts`)),
    forward: (x, { apply }) => apply(layer, x, name),
  })

/** What generators may give {@link named}. */
export const namedArguments: Arguments = [choice.name, choice.layer()]
