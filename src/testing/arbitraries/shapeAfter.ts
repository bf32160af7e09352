import { trace } from '../../graph/trace.js'
import { defineLayer, type AnyLayer, type Window } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import { accepted } from '../../layers/core/preconditions.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem } from '../../shape/problem.js'
import { isIntegers, isShape, type SignalShape } from '../../shape/shape.js'

/** A place where a layer may stand: the signal that arrives, and the window it runs in, inside `windows`. */
export interface Spot {
  readonly signal: SignalShape
  readonly window?: Window
}

/**
 * What a model must be fed so that a signal of some shape arrives.
 *
 * @example
 * specOf({ ids: { integers: [5] } }) // { fields: { ids: { shape: [5], dtype: 'int32' } } }
 */
export const specOf = (signal: SignalShape): InputSpec => {
  if (isShape(signal)) return { shape: signal, dtype: 'float32' }
  if (isIntegers(signal)) return { shape: signal.integers, dtype: 'int32' }
  return { fields: Object.fromEntries(Object.entries(signal).map(([name, field]) => [name, specOf(field)])) }
}

/**
 * The signal that a model is fed: the reverse of {@link specOf}.
 *
 * @example
 * signalOf(integerInput(5).input) // { integers: [5] }
 */
export const signalOf = (spec: InputSpec): SignalShape => {
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, signalOf(field)]))
  return spec.dtype === 'int32' ? { integers: spec.shape } : spec.shape
}

/**
 * A model of one layer at a spot. Where that is in a window, two windows of it are fed, so that the layer sees one
 * and knows of it.
 */
export const modelAt = ({ signal, window }: Spot, layer: AnyLayer): AnyModel =>
  window === undefined || !isShape(signal) ? model(specOf(signal), [layer]) : model({ shape: [2, ...signal], dtype: 'float32' }, [inWindows(layer, window.size)])

const inWindows = (layer: AnyLayer, size: Window['size']): AnyLayer =>
  defineLayer('inWindows', inWindows, [layer, size], { forward: (x, { applyToEach }) => applyToEach(layer, x, { size }) })

/** What a layer gives at a spot; nothing where it does not fit, in inference or in training. */
export const shapeAfter = (layer: AnyLayer, spot: Spot): SignalShape | undefined => {
  const { check, label, accepts } = layer.definition
  // Most layers that are drawn do not fit; asking them is quicker than tracing, which would say the same.
  if ((check(spot.signal as never, spot.window) ?? accepted(label, accepts, spot.signal)) !== undefined) return undefined
  const made = modelAt(spot, layer)
  const graph = trace(made)
  if (graph._tag === 'Left' || trace(made, { mode: 'training' })._tag === 'Left') return undefined
  const { output } = graph.right
  return made.layers[0] === layer ? shapeOfSignal(output) : isTensor(output) ? (output as Tensor).shape.slice(1) : undefined
}

/** What arrives where a layer that is being made has a hole: `make` puts the layer it is given into the hole. Nothing where no signal comes there. */
export const arrivesAt = (spot: Spot, make: (hole: AnyLayer) => AnyLayer): Spot | undefined => {
  let found: Spot | undefined
  const hole: AnyLayer = defineLayer('hole', () => hole, [], {
    accepts: 'any',
    check: (signal: SignalShape, window) => {
      found = window === undefined ? { signal } : { signal, window: { size: window.size } }
      return problem('hole', 'hole: seen')
    },
    forward: x => x,
  } as Parameters<typeof defineLayer>[3])
  trace(modelAt(spot, make(hole)))
  return found
}
