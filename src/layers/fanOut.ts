import type { Signal } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import type { SignalShape } from '../shape/shape.js'
import type { AnyShapeError } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { fieldScope, type InnerOnField, type OnField } from './core/fieldScope.js'
import { byName, firstOf } from './core/preconditions.js'

/** The shape function of {@link fanOut}. */
export interface FanOut<R extends Readonly<Record<string, AnyLayer>>> extends ShapeFunction {
  readonly out: OrFirstError<{ readonly [K in keyof R]: OnField<K & string, ShapeFunctionOf<R[K]>, this['in']> }>
  readonly path: string
  readonly inner: { readonly [K in keyof R]: InnerOnField<K & string, ShapeFunctionOf<R[K]>, this['in'], this['path']> }[keyof R]
}

/** A record of outcomes, or the error among them. */
export type OrFirstError<O> = [Extract<O[keyof O], AnyShapeError>] extends [never] ? O : Extract<O[keyof O], AnyShapeError>

/**
 * Gives one signal to several layers and keeps every answer, by name; each layer's parameters live under
 * its name, but for those of `unnamed` layers. `[...] → { name: [...] }`. Errors: `notARecord`, `badName`, those of the layers.
 *
 * @example
 * pipe(input(198, 192), fanOut({ cls: takeToken(0), dist: takeToken(1) })) // Model<[198, 192], { cls: [192], dist: [192] }>
 */
export const fanOut = <const R extends Readonly<Record<string, AnyLayer>>>(layers: R): Layer<FanOut<R>> =>
  defineLayer<FanOut<R>, Signal, SignalShape>('fanOut', fanOut, [layers], {
    accepts: 'any',
    check: () => firstOf(() => byName('fanOut', layers), () => badName(Object.keys(layers))),
    forward: (x, { apply }) => Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, apply(layer, x, fieldScope(name, layer))])),
  })

/** What generators may give {@link fanOut}. */
export const fanOutArguments: Arguments = [choice.fields('anything')]

/** A dot would part the name in two; a field called `integers` would make the record look like a tensor of them. */
const badName = (names: readonly string[]): Problem | undefined => {
  const bad = names.find(name => name === 'integers' || !/^[A-Za-z_0-9]+$/.test(name))
  if (bad === undefined) return undefined
  return problem('badName', bad === 'integers' ? `fanOut: no field can be called 'integers', which says what tensors hold` : `fanOut: '${bad}' is no name of a field; use letters, digits and underscores`)
}
