import type { AnyLayer, Context, Window } from '../../layers/core/layer.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { collectNodes } from '../../graph/graph.js'
import { evaluate } from '../../ops/definition/define.js'
import { fill, type Value } from '../../ops/definition/value.js'
import { constant, input, parameter } from '../../ops/ops.js'
import { isOp, isTensor, tensorsOf, type Signal, type Tensor } from '../../ops/tensor.js'
import { partsOf, stacked, type Numbers } from './numbers.js'
import type { OracleWindow, Place, Run, Values } from './oracle.js'

/** Arrays by the nodes that stand for them. */
type Known = Map<Tensor, Value>

/**
 * A layer that has no oracle, by its own `forward` and the definitions of the ops it uses. Layers of the library that
 * it applies inside are run by their oracles.
 */
export const ownLayer = (layer: AnyLayer, place: Place): Run => {
  const { definition } = layer
  // A layer may run many times, once for each window, but its inner layers are named once.
  const inner: Run[] = []
  return (x, window) => {
    const known: Known = new Map()
    let count = 0
    const next = (other: AnyLayer, scope: string | undefined): Run => (inner[count++] ??= place.bind(other, scope))
    const signal = given(x, known, definition.accepts === 'integers')
    const declared = definition.parameters(shapeOfSignal(signal) as never, windowOf(window))
    const context: Context = {
      mode: 'inference',
      path: 'own',
      parameters: Object.fromEntries(Object.entries(declared).map(([name, { shape, initialiser }]) => {
        const node = parameter(name, shape, initialiser)
        known.set(node, { shape: [1, ...shape], data: place.weight(name, ...shape).data })
        return [name, node]
      })),
      apply: (other, t, scope) => given(next(other, scope)(valuesOf(t, known), window), known),
      applyToEach: (other, t, { size, mask }) => {
        const run = next(other, undefined)
        const masks = mask === undefined ? [] : partsOf(valuesOf(mask, known) as Numbers)
        const made = partsOf(valuesOf(t, known) as Numbers).map((part, i) => run(part, { size, sees: (query, key) => masks.length === 0 || masks[i]!.data[query * masks[i]!.shape[1]! + key] === 0 }))
        return given(stackedValues(made), known)
      },
      applyUnder: (policy, other, t, scope) => given(next(other, scope)(valuesOf(t, known), policy === undefined ? undefined : { policy: valuesOf(policy, known) as Numbers }), known),
      within: (_, parts, t) => parts.map(part => given((inner[count++] ??= place.inWhole().bind(part))(valuesOf(t, known), window), known)),
      expose: (other, t, paths) => {
        const whole = given(next(other, undefined)(valuesOf(t, known), window), known)
        return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, path === '' ? whole : given(place.given(path), known)]))
      },
      record: (_, t) => t,
      offer: (_, make) => make,
      ...(window?.size === undefined ? {} : { window: windowOf(window)! }),
      ...(window?.policy === undefined ? {} : { policy: given(window.policy, known) as Tensor }),
    }
    return valuesOf(definition.forward(signal as never, context), known)
  }
}

/** The window as the library's layers see it. */
const windowOf = (window: OracleWindow | undefined): Window | undefined => {
  if (window?.size === undefined) return undefined
  const { size, sees } = window
  const tokens = size[0] * size[1]
  const mask = Float32Array.from({ length: tokens * tokens }, (_, i) => (sees(Math.floor(i / tokens), i % tokens) ? 0 : -100))
  return { size, mask: constant(mask, [tokens, tokens]) }
}

const isNumbers = (x: Values): x is Numbers => (x as Numbers).data instanceof Float64Array

/** Nodes that stand for arrays. */
const given = (x: Values, known: Known, integers = false): Signal => {
  if (!isNumbers(x)) return Object.fromEntries(Object.entries(x).map(([name, field]) => [name, given(field, known)]))
  const node = input('x', x.shape, integers ? 'int32' : 'float32')
  known.set(node, { shape: [1, ...x.shape], data: x.data })
  return node
}

/** The arrays that nodes come to. */
const valuesOf = (signal: Signal, known: Known): Values => {
  for (const node of collectNodes(tensorsOf(signal), new Set(known.keys()))) {
    if (isOp(node, 'constant')) known.set(node, fill([1, ...node.shape], i => node.attributes.data[i]!))
    else known.set(node, evaluate(node, node.inputs.map(t => known.get(t)!), 1))
  }
  const read = (s: Signal): Values => (isTensor(s) ? { shape: s.shape, data: Float64Array.from(known.get(s)!.data) } : Object.fromEntries(Object.entries(s).map(([name, field]) => [name, read(field)])))
  return read(signal)
}

const stackedValues = (parts: readonly Values[]): Values => {
  const first = parts[0]!
  if (isNumbers(first)) return stacked(parts as readonly Numbers[])
  return Object.fromEntries(Object.keys(first).map(name => [name, stackedValues(parts.map(part => (part as Readonly<Record<string, Values>>)[name]!))]))
}
