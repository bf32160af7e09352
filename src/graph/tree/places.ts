import { right, type Either } from 'fp-ts/lib/Either.js'
import { defineLayer, isLayer, type AnyLayer, type Context, type Window } from '../../layers/core/layer.js'
import { model, type AnyModel } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { serial } from '../../layers/serial.js'
import type { Signal, Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import type { SignalShape } from '../../shape/shape.js'
import { trace } from '../trace.js'
import { editModel, type Address } from './editModel.js'

/** A layer of a model where it runs. */
export interface Place {
  /** Dotted, as in the names of parameters: `blocks.3.attn`. */
  readonly path: string
  /** Whether the path is its own, and not that of the layer around it. */
  readonly isNamed: boolean
  readonly layer: AnyLayer
  /** What arrives at it; in `windows`, one window. */
  readonly input: SignalShape
  /** Where it is written; absent where another layer makes it. */
  readonly address?: Address
  /** The nearest layer around it that is written. */
  readonly host: AnyLayer
  /** The window it runs in. */
  readonly window?: readonly [height: number, width: number]
}

/**
 * Every layer of a model in the order in which they run, outer ones before those inside, with their paths: read off
 * a trace, so that names have one rule. Errors: those of `trace`.
 *
 * @example
 * places(pipe(input(4), named('head', linear(10)))).right.filter(p => p.isNamed).map(p => p.path) // ['head']
 */
export const places = (m: AnyModel): Either<Problem, readonly Place[]> => {
  const found: Place[] = []
  const written = new Map<AnyLayer, { readonly address: Address; readonly layer: AnyLayer }>()
  // Copies, so that one layer written twice is two.
  const copied = editModel(m, (address, { definition }, layer) => {
    const copy = defineLayer(definition.kind, definition.make, definition.args, definition as never)
    written.set(copy, { address, layer })
    return copy
  })
  const watched = (layer: AnyLayer, parent: string, around: AnyLayer): AnyLayer => {
    const { definition } = layer
    const forward = (x: Signal, context: Context): Signal => {
      const { path, window } = context
      const at = written.get(layer)
      const host = at?.layer ?? around
      found.push({ path, isNamed: path !== parent, layer: at?.layer ?? layer, input: shapeOfSignal(x), host, ...(at === undefined ? {} : { address: at.address }), ...(window === undefined ? {} : { window: window.size }) })
      const inside = (inner: AnyLayer): AnyLayer => (isLayer(inner) ? watched(inner, path, host) : inner)
      return definition.forward(x as never, {
        ...context,
        apply: (inner, signal, scope) => context.apply(inside(inner), signal, scope),
        applyToEach: (inner: AnyLayer, signal: Tensor, window: Window) => context.applyToEach(inside(inner), signal, window),
        expose: (inner, signal, paths) => context.expose(inside(inner), signal, paths),
        within: (whole, parts, signal) => context.within(inside(whole), parts.map(inside), signal),
        applyUnder: (policy, inner, signal, scope) => context.applyUnder(policy, inside(inner), signal, scope),
      })
    }
    return defineLayer(definition.kind, definition.make, definition.args, { ...definition, forward } as never)
  }
  const traced = trace(model(m.input, copied.layers.map(layer => (isLayer(layer) ? watched(layer, '', serial()) : layer))))
  return traced._tag === 'Left' ? traced : right(found.map(unwrapped))
}

/** Layers that are another one but for a remark; that other one is meant. */
const remarks = new Set(['tap', 'frozen', 'remat'])

const unwrapped = (place: Place): Place => {
  const { kind, args } = place.layer.definition
  const inner = args.findIndex(isLayer)
  if (!remarks.has(kind) || inner < 0) return place
  const layer = args[inner] as AnyLayer
  return unwrapped({ ...place, layer, host: place.address === undefined ? place.host : layer, ...(place.address === undefined ? {} : { address: `${place.address}.${inner}` }) })
}
