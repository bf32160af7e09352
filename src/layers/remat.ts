import { remat as recomputed } from '../ops/ops.js'
import { mapSignal, tensorsOf, type Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/**
 * A layer that training computes a second time for its gradients instead of keeping what it computed the first time
 * (Chen et al., 2016, section 3): the same values and parameters, less memory, about a third more time. Around each
 * block of a deep model, what is kept is what goes from block to block. `[...] → [...]` of the layer. In inference it
 * is the layer itself. Errors: those of the layer.
 *
 * @example
 * pipe(input(197, 192), repeat(12, remat(encoderBlock({ numHeads: 3 })))) // Model<[197, 192], [197, 192]>
 */
export const remat = <L extends AnyLayer>(layer: L): Layer<ShapeFunctionOf<L>> => {
  // The layer itself but for the mark on its output, so that its scope, parameters and errors stay where they were.
  const { label, scope, accepts, check, parameters, forward, freezing, traits } = layer.definition
  return defineLayer<ShapeFunctionOf<L>, Signal, SignalShape>('remat', remat, [layer], {
    label,
    scope,
    accepts,
    check: (shape, window) => check(shape as never, window),
    parameters: (shape, window) => parameters(shape as never, window),
    forward: (x, context) => {
      const output = forward(x as never, context)
      const from = tensorsOf(x)
      return context.mode === 'inference' ? output : mapSignal(output, y => (from.includes(y) ? y : recomputed(y, from)))
    },
    freezing,
    traits,
  })
}

/** What generators may give {@link remat}. */
export const rematArguments: Arguments = [choice.layer()]
