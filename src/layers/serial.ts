import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { AnyShapeError } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerHere } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/** The shape functions of several layers, one after the other; stops at the first error. */
export type Chain<Ls extends readonly AnyLayer[], S> = S extends AnyShapeError
  ? S
  : Ls extends readonly [infer L extends AnyLayer, ...infer Rest extends readonly AnyLayer[]] ? Chain<Rest, Apply<ShapeFunctionOf<L>, S>> : S

/** The shape function of {@link serial}. */
export interface Serial<Ls extends readonly AnyLayer[]> extends ShapeFunction {
  // Where the compiler compares layers before they are applied, `in` is unknown, and the chain is not worked out.
  readonly out: unknown extends this['in'] ? unknown : Chain<Ls, this['in']>
  readonly path: string
  readonly inner: unknown extends this['in'] ? unknown : InnerOfChain<Ls, this['in'], this['path']>
}
type InnerOfChain<Ls extends readonly AnyLayer[], S, P> = Ls extends readonly [infer L extends AnyLayer, ...infer Rest extends readonly AnyLayer[]]
  ? InnerHere<ShapeFunctionOf<L>, S, P> extends infer O ? ([O] extends [never] ? InnerOfChain<Rest, Apply<ShapeFunctionOf<L>, S>, P> : O) : never
  : never

/**
 * Several layers as one, applied in order: what the first takes → what the last gives.
 * `serial(a, serial(b, c))` is `serial(serial(a, b), c)`, and `identity()` is its unit. Adds no scope of its own.
 * Errors: those of its layers.
 *
 * @example
 * pipe(input(192), serial(linear(64), gelu())) // Model<[192], [64]>
 */
export const serial = <const Ls extends readonly AnyLayer[]>(...layers: Ls): Layer<Serial<Ls>> =>
  defineLayer<Serial<Ls>, Signal, SignalShape>('serial', serial, layers, { accepts: 'any', forward: (x, { apply }) => layers.reduce((signal, layer) => apply(layer, signal), x) })

/** What generators may give {@link serial}. */
export const serialArguments: Arguments = [choice.layers]
