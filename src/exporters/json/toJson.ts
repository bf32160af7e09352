import { isLayer } from '../../layers/core/layer.js'
import type { AnyModel, InputSpec } from '../../layers/core/model.js'

/** A value JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * A model as JSON: its input, and its layers as constructor names with arguments. `fromJson` reads it back.
 * A `repeat` whose blocks differ is written out block by block.
 *
 * @example
 * toJson(pipe(input(192), linear(10))) // { input: [192], layers: [['linear', 10, {}]] }
 */
export const toJson = (model: AnyModel): Json => ({ input: inputToJson(model.input), layers: model.layers.map(valueToJson) })

const inputToJson = (spec: InputSpec): Json =>
  'fields' in spec ? Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, inputToJson(field)])) : spec.dtype === 'int32' ? { integers: spec.shape } : spec.shape

const valueToJson = (value: unknown): Json => {
  if (isLayer(value)) {
    const { kind, args } = value.definition
    const [times, block] = args as readonly [number, (index: number) => unknown]
    if (kind === 'repeat' && !isLayer(block)) return ['repeat', times, { blocks: Array.from({ length: times }, (_, i) => valueToJson(block(i))) }, ...args.slice(2).map(valueToJson)]
    return [kind, ...args.map(valueToJson)]
  }
  if (Array.isArray(value)) return value.map(valueToJson)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([key, v]) => [key, valueToJson(v)]))
  return value as Json
}
