import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerHere } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/** The shape function of {@link when}. */
export interface When<B extends boolean, F extends ShapeFunction> extends ShapeFunction {
  readonly path: string
  readonly inner: [B] extends [true] ? InnerHere<F, this['in'], this['path']> : never
  readonly out: [B] extends [true] ? Apply<F, this['in']> : [B] extends [false] ? this['in'] : Either<Apply<F, this['in']>, this['in']>
}
/** Where the condition is not known to the compiler: what both ways have in common, sizes that differ as `number`. */
type Either<A, B> = A extends readonly number[]
  ? B extends readonly number[] ? (A['length'] extends B['length'] ? { readonly [I in keyof A]: A[I] extends B[I & keyof B] ? A[I] : number } : readonly number[]) : A | B
  : A | B

/**
 * A layer if a condition of the recipe holds, else nothing: how a recipe reads its options.
 * `[...] → [...]`. Errors: those of the layer, where it applies.
 *
 * @example
 * pipe(input(196, 192), when(true, classToken())) // Model<[196, 192], [197, 192]>
 */
export const when = <const B extends boolean, L extends AnyLayer>(condition: B, layer: L): Layer<When<B, ShapeFunctionOf<L>>> =>
  defineLayer<When<B, ShapeFunctionOf<L>>, Signal, SignalShape>('when', when, [condition, layer], {
    config: { condition },
    accepts: 'any',
    forward: (x, { apply }) => (condition ? apply(layer, x) : x),
  })

/** What generators may give {@link when}. */
export const whenArguments: Arguments = [choice.flag, choice.layer()]
