import type { Signal } from '../ops/tensor.js'
import { problem } from '../shape/problem.js'
import type { SignalShape } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/**
 * A layer whose output can be asked for by name (`compile(model, { features: ['early'] })`), without
 * changing where its parameters live. `[...] → [...]` of the layer. Errors: those of the layer, `badName`.
 *
 * @example
 * pipe(input(197, 192), tap('early', encoderBlock({ numHeads: 3 }))) // Model<[197, 192], [197, 192]>
 */
export const tap = <L extends AnyLayer>(name: string, layer: L): Layer<ShapeFunctionOf<L>> => {
  // The layer itself but for one line, so that its scope, parameters and errors stay where they were.
  const { label, scope, accepts, check, parameters, forward, freezing, traits } = layer.definition
  return defineLayer<ShapeFunctionOf<L>, Signal, SignalShape>('tap', tap, [name, layer], {
    label,
    config: { name },
    scope,
    accepts,
    check: (shape, window) => (name === '' ? problem('badName', 'tap: a tap needs a name') : check(shape as never, window)),
    parameters: (shape, window) => parameters(shape as never, window),
    forward: (x, context) => context.record(name, forward(x as never, context)),
    freezing,
    traits,
  })
}

/** What generators may give {@link tap}. */
export const tapArguments: Arguments = [choice.name, choice.layer()]
