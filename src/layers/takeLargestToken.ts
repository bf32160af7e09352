import { argsort, gather, reshape, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Problem } from '../shape/problem.js'
import { type Integers, isIntegers, type Shape, show, type SignalShape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Arguments, Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, tokens } from './core/preconditions.js'

/** The shape function of {@link takeLargestToken}. */
export interface TakeLargestToken extends ShapeFunction {
  readonly out: IfFields<this['in'], 'takeLargestToken', readonly ['x', 'ids'], Taken<this['in']>>
}
type Taken<S> = S extends { readonly x: infer X; readonly ids: infer Ids }
  ? X extends readonly [infer N extends number, infer C extends number]
    ? Ids extends Integers<readonly [infer L extends number]>
      ? number extends N | L ? readonly [C] : N extends L ? readonly [C] : Misfit<'idsMisfit', { tokens: N; ids: L }, 'takeLargestToken'>
      : Expects<'expectsIntegers', 'takeLargestToken', Ids>
    : Expects<'expectsTokens', 'takeLargestToken', X>
  : never

/**
 * The token whose id is the largest, of equal ones the first: the end of a text, where its mark is the last word of the
 * vocabulary, as in CLIP (Radford et al., 2021, section 2.4). `{ x: [tokens, dim], ids: integers [tokens] } → [dim]`.
 *
 * Errors: `expectsRecord`, `noSuchField`, `expectsTokens`, `expectsIntegers`, `idsMisfit`.
 *
 * @example
 * pipe(inputs({ x: input(77, 512), ids: integerInput(77) }), takeLargestToken()) // Model<{ x: [77, 512], ids: Integers<[77]> }, [512]>
 */
export const takeLargestToken = (): Layer<TakeLargestToken> =>
  defineLayer<TakeLargestToken, Readonly<Record<'x' | 'ids', Tensor>>, SignalShape>('takeLargestToken', takeLargestToken, [], {
    accepts: 'record',
    check: shape => firstOf(() => lacksFields('takeLargestToken', shape, ['x', 'ids']), () => fit(shape as Readonly<Record<'x' | 'ids', SignalShape>>)),
    forward: ({ x, ids }) => reshape(gather(x, slice(argsort(ids, { descending: true }), [0], [1])), [x.shape[1] as number]),
  })

/** What generators may give {@link takeLargestToken}. */
export const takeLargestTokenArguments: Arguments = []
/** The record that {@link takeLargestToken} takes. */
export const takeLargestTokenTakes: Takes = { x: ['n', 'c'], ids: { integers: ['n'] } }

const fit = ({ x, ids }: Readonly<Record<'x' | 'ids', SignalShape>>): Problem | undefined => {
  const wrong = tokens('takeLargestToken', x as Shape)
  if (wrong !== undefined) return wrong
  if (!isIntegers(ids) || ids.integers.length !== 1) return misfit('expectsIntegers', { layer: 'takeLargestToken', shape: show(ids) })
  const [[count], [given]] = [x as readonly [number, number], ids.integers as readonly [number]]
  return count === given ? undefined : misfit('idsMisfit', { tokens: count, ids: given })
}
