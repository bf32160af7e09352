import type { Signal } from '../ops/tensor.js'
import { problem } from '../shape/problem.js'
import type { SignalShape } from '../shape/shape.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/**
 * A layer whose output can be asked for by name (`compile(model, { features: ['early'] })`), without
 * changing where its parameters live. `[...] → [...]` of the layer. Errors: those of the layer.
 *
 * @example
 * pipe(input(197, 192), tap('early', encoderBlock({ numHeads: 3 }))) // Model<[197, 192], [197, 192]>
 */
export const tap = <L extends AnyLayer>(name: string, layer: L): Layer<ShapeFunctionOf<L>> =>
  defineLayer<ShapeFunctionOf<L>, Signal, SignalShape>('tap', tap, [name, layer], {
    config: { name },
    accepts: 'any',
    check: () => (name === '' ? problem('badName', 'tap: a tap needs a name') : undefined),
    forward: (x, { apply, record }) => record(name, apply(layer, x)),
  })
