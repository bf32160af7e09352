import { trace } from '../../graph/trace.js'
import { defineLayer, type AnyLayer, type Context, type Mode, type Window } from '../../layers/core/layer.js'
import { model as modelOf, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { isTensor, type Signal } from '../../ops/tensor.js'
import type { SignalShape } from '../../shape/shape.js'

/** A layer where it is applied: what it gets, and the layers it applies in turn. */
export interface Place {
  /** Dotted path of its parameters. */
  readonly path: string
  readonly layer: AnyLayer
  readonly input: InputSpec
  /** The window it runs in, inside `windows`. */
  readonly window?: Window
  /** What it gives; absent where it does not come to that. */
  readonly output?: SignalShape
  readonly children: readonly Place[]
}

interface Growing {
  place?: Omit<Place, 'children' | 'output'>
  output?: SignalShape
  readonly children: Growing[]
}

/**
 * Every layer a model applies, also those inside composite layers such as `encoderBlock`, with what each of them is
 * given. Of a model that does not trace, those it comes to.
 *
 * @example
 * placesOf(pipe(input(5, 8), mlp()))[0].children.map(place => place.path) // ['mlp.fc1', 'mlp.fc2']
 */
export const placesOf = <M extends AnyModel>({ input, layers }: Pick<M, 'input' | 'layers'>, mode: Mode = 'inference'): readonly Place[] => {
  const root: Growing = { children: [] }
  try {
    trace(modelOf(input, layers.map(layer => watched(layer, root))) as unknown as AnyModel, { mode })
  } catch {
    // A layer that throws has no output; what came before it has.
  }
  const grown = ({ place, output, children }: Growing): readonly Place[] => {
    const inner = children.flatMap(grown)
    return place === undefined ? inner : [{ ...place, ...(output === undefined ? {} : { output }), children: inner }]
  }
  return grown(root)
}

/** The same layer, telling what it is given; what it applies tells likewise. */
const watched = (layer: AnyLayer, parent: Growing): AnyLayer => {
  const { kind, make, args, forward, ...parts } = layer.definition
  return defineLayer(kind, make, args, {
    ...(parts as object),
    forward: (x: Signal, context: Context) => {
      const { path, window, apply, applyToEach, applyUnder, within } = context
      const growing: Growing = { place: { path, layer, input: specOf(x), ...(window === undefined ? {} : { window }) }, children: [] }
      parent.children.push(growing)
      const y = forward(x as never, {
        ...context,
        apply: (inner, signal, scope) => apply(watched(inner, growing), signal, scope),
        applyToEach: (inner, signal, each) => applyToEach(watched(inner, growing), signal, each),
        expose: (inner, signal, paths) => context.expose(watched(inner, growing), signal, paths),
        applyUnder: (policy, inner, signal, scope) => applyUnder(policy, watched(inner, growing), signal, scope),
        within: (whole, parts, signal) => within(whole, parts.map(part => watched(part, growing)), signal),
      })
      growing.output = shapeOfSignal(y)
      return y
    },
  })
}

const specOf = (x: Signal): InputSpec => (isTensor(x) ? { shape: x.shape, dtype: x.dtype } : { fields: Object.fromEntries(Object.entries(x).map(([name, field]) => [name, specOf(field)])) })
