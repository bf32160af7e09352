import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'

/**
 * A model with every whole number in it (sizes of its input, arguments and options of its layers) replaced by what
 * `f` makes of it. `f` is told the how-manyeth it is.
 *
 * @example
 * mapNumbers(pipe(input(8), linear(4)), n => n / 2).input // { shape: [4], dtype: 'float32' }
 */
export const mapNumbers = (m: AnyModel, f: (n: number, at: number) => number): AnyModel => {
  let count = 0
  const next = (n: number): number => f(n, count++)
  const spec = (s: InputSpec): InputSpec => ('fields' in s ? { fields: Object.fromEntries(Object.entries(s.fields).map(([name, field]) => [name, spec(field)])) } : { ...s, shape: s.shape.map(next) })
  const value = (v: unknown): unknown => {
    if (typeof v === 'number') return Number.isInteger(v) ? next(v) : v
    if (isLayer(v)) return layer(v)
    if (Array.isArray(v)) return same(v, v.map(value))
    if (typeof v !== 'object' || v === null) return v
    const entries = Object.entries(v)
    const mapped = entries.map(([, inner]) => value(inner))
    return entries.every(([, inner], i) => inner === mapped[i]) ? v : Object.fromEntries(entries.map(([name], i) => [name, mapped[i]]))
  }
  // A function of the block's number is asked for blocks as they are needed; its numbers count as one block's.
  const argument = (arg: unknown): unknown => {
    if (typeof arg !== 'function' || isLayer(arg)) return value(arg)
    const from = count
    const first: unknown = (arg as (index: number) => unknown)(0)
    const mapped = value(first)
    const after = count
    const made = (index: number): unknown => {
      const before = count
      count = from
      const block = value((arg as (index: number) => unknown)(index))
      count = before
      return block
    }
    count = after
    return mapped === first ? arg : made
  }
  const layer = (l: AnyLayer): AnyLayer => {
    const { args, make } = l.definition
    const mapped = args.map(argument)
    return mapped.every((arg, i) => arg === args[i]) ? l : make(...(mapped as never[]))
  }
  return model(spec(m.input), m.layers.map(layer))
}

const same = (before: readonly unknown[], after: readonly unknown[]): readonly unknown[] => (before.every((v, i) => v === after[i]) ? before : after)

/** The whole numbers of a model, in the order in which {@link mapNumbers} meets them. */
export const numbersOf = (m: AnyModel): readonly number[] => {
  const found: number[] = []
  mapNumbers(m, n => (found.push(n), n))
  return found
}
