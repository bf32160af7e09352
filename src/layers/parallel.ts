import type { Signal } from '../ops/tensor.js'
import { fieldNames, type FieldNames } from '../shape/fields.js'
import type { Problem } from '../shape/problem.js'
import { type Integers, isIntegers, isShape, type Shape, show, type SignalShape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { fieldScope, type InnerOnField, type OnField } from './core/fieldScope.js'
import { byName, firstOf } from './core/preconditions.js'
import type { OrFirstError } from './fanOut.js'

/** The shape function of {@link parallel}. */
export interface Parallel<R extends Readonly<Record<string, AnyLayer>>> extends ShapeFunction {
  readonly out: this['in'] extends Shape | Integers ? Expects<'expectsRecord', 'parallel', this['in']>
    : FieldNames<Omit<R, keyof this['in']>> extends readonly [infer Missing extends string, ...unknown[]] ? Misfit<'noSuchField', { layer: 'parallel'; field: Missing }, 'parallel'> : OrFirstError<Fields<R, this['in']>>
  readonly path: string
  readonly inner: { readonly [K in keyof R]: InnerOnField<K & string, ShapeFunctionOf<R[K]>, this['in'][K & keyof this['in']], this['path']> }[keyof R]
}
type Fields<R extends Readonly<Record<string, AnyLayer>>, S> = {
  readonly [K in keyof S]: K extends keyof R ? OnField<K & string, ShapeFunctionOf<R[K]>, S[K]> : S[K]
}

/**
 * Gives each field of a record to its own layer; fields without one pass through. Parameters live under the
 * field's name, but for those of `unnamed` layers. `{ name: [...] } → { name: [...] }`. Errors: `notARecord`, `expectsRecord`, `noSuchField`, those of the layers.
 *
 * @example
 * pipe(input(198, 192), fanOut({ cls: takeToken(0), dist: takeToken(1) }), parallel({ cls: linear(10), dist: linear(10) })) // Model<[198, 192], { cls: [10], dist: [10] }>
 */
export const parallel = <const R extends Readonly<Record<string, AnyLayer>>>(layers: R): Layer<Parallel<R>> =>
  defineLayer<Parallel<R>, Readonly<Record<string, Signal>>, SignalShape>('parallel', parallel, [layers], {
    accepts: 'record',
    check: shape => firstOf(() => byName('parallel', layers), () => fit(shape, layers)),
    forward: (x, { apply }) => Object.fromEntries(Object.entries(x).map(([name, signal]) => [name, layers[name] === undefined ? signal : apply(layers[name], signal, fieldScope(name, layers[name]))])),
  })

/** What generators may give {@link parallel}. */
export const parallelArguments: Arguments = [choice.fields('record')]

const fit = (shape: SignalShape, layers: Readonly<Record<string, AnyLayer>>): Problem | undefined => {
  if (isShape(shape) || isIntegers(shape)) return misfit('expectsRecord', { layer: 'parallel', shape: show(shape) })
  const missing = fieldNames(layers).find(name => !Object.hasOwn(shape, name))
  return missing === undefined ? undefined : misfit('noSuchField', { layer: 'parallel', field: missing })
}
