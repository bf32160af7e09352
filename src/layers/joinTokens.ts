import { concat } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import { fieldNames, type FieldNames } from '../shape/fields.js'
import type { Add } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { type Integers, isIntegers, isShape, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Arguments, Takes } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'

/** The shape function of {@link joinTokens}. */
export interface JoinTokens extends ShapeFunction {
  readonly out: this['in'] extends Shape | Integers
    ? Expects<'expectsRecord', 'joinTokens', this['in']>
    : FieldNames<this['in']> extends readonly [infer First extends keyof this['in'] & string, ...infer Rest]
      ? this['in'][First] extends readonly [infer N extends number, infer C extends number] ? Join<this['in'], First, Rest, N, C> : NotTokens<First, this['in'][First]>
      : Misfit<'nothingToJoin', {}, 'joinTokens'>
}
/** `N` tokens of `C` channels are those of the fields before `Names`. */
type Join<R, First extends keyof R & string, Names, N extends number, C extends number> = Names extends readonly [infer Name extends keyof R & string, ...infer Rest]
  ? R[Name] extends readonly [infer M extends number, infer D extends number]
    ? Agree<readonly [C], readonly [D]> extends infer Both ? ([Both] extends [never] ? Differs<R, First, Name> : Both extends readonly [infer Channels extends number] ? Join<R, First, Rest, Add<N, M>, Channels> : never) : never
    : NotTokens<Name, R[Name]>
  : readonly [N, C]
type Differs<R, A extends keyof R & string, B extends keyof R & string> = Misfit<'joinMisfit', { left: A; leftShape: Show<R[A]>; right: B; rightShape: Show<R[B]> }, 'joinTokens'>
type NotTokens<N extends string, S> = Misfit<'joinExpectsTokens', { field: N; shape: Show<S> }, 'joinTokens'>

/**
 * The tokens of several signals as one sequence, in the order in which the fields were written: a class token that went
 * its own way and the patches, an image and a text. `{ a: [n, dim], b: [m, dim] } → [n + m, dim]`. For channels side by
 * side there is `merge('concat')`. Errors: `expectsRecord`, `joinExpectsTokens`, `joinMisfit`, `nothingToJoin`.
 *
 * @example
 * pipe(input(197, 192), fanOut({ cls: serial(firstTokens(1), mlp()), patches: skipTokens(1) }), joinTokens()) // Model<[197, 192], [197, 192]>
 */
export const joinTokens = (): Layer<JoinTokens> =>
  defineLayer<JoinTokens, Readonly<Record<string, Tensor>>, SignalShape>('joinTokens', joinTokens, [], {
    accepts: 'record',
    check: notJoinable,
    forward: record => {
      const [first, ...rest] = Object.values(record) as [Tensor, ...Tensor[]]
      return rest.length === 0 ? first : concat([first, ...rest], 0)
    },
  })

/** What generators may give {@link joinTokens}. */
export const joinTokensArguments: Arguments = []
/** A record that {@link joinTokens} takes. */
export const joinTokensTakes: Takes = { cls: ['n', 'c'], patches: ['m', 'c'] }

const notJoinable = (shape: SignalShape): Problem | undefined => {
  if (isShape(shape) || isIntegers(shape)) return misfit('expectsRecord', { layer: 'joinTokens', shape: show(shape) })
  const [left, ...others] = fieldNames(shape)
  if (left === undefined) return misfit('nothingToJoin', {})
  const channelsOf = (name: string): number | undefined => (isShape(shape[name]!) && shape[name].length === 2 ? shape[name][1] : undefined)
  for (const right of [left, ...others]) {
    if (channelsOf(right) === undefined) return misfit('joinExpectsTokens', { field: right, shape: show(shape[right]!) })
    if (channelsOf(right) !== channelsOf(left)) return misfit('joinMisfit', { left, leftShape: show(shape[left]!), right, rightShape: show(shape[right]!) })
  }
  return undefined
}
