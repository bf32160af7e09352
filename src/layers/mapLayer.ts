import { type AnyLayer, isLayer } from './core/layer.js'

/**
 * A layer with every layer inside it, and itself, replaced by what `f` makes of it: the ground of all
 * recipe → recipe functions. Works from the inside out; `f` must keep each layer's shapes.
 *
 * @example
 * mapLayer(serial(linear(10), dropout(0.1)), l => (l.definition.kind === 'dropout' ? identity() : l)).definition.args.map(l => l.definition.kind) // ['linear', 'identity']
 */
export const mapLayer = <L extends AnyLayer>(layer: L, f: (layer: AnyLayer) => AnyLayer): L => {
  const { make, args } = layer.definition
  const mapped = args.map(arg => mapArgument(arg, f))
  return f(mapped.every((arg, i) => arg === args[i]) ? layer : make(...(mapped as never[]))) as L
}

const mapArgument = (arg: unknown, f: (layer: AnyLayer) => AnyLayer): unknown => {
  if (isLayer(arg)) return mapLayer(arg, f)
  if (typeof arg === 'function') return (index: number) => mapArgument((arg as (index: number) => unknown)(index), f)
  if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || !Object.values(arg).some(isLayer)) return arg
  return Object.fromEntries(Object.entries(arg).map(([name, value]) => [name, mapArgument(value, f)]))
}
