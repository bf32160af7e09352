import { add, concat, multiply, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import type { Add } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { fieldNames, type FieldNames } from '../shape/fields.js'
import { type Integers, isIntegers, isShape, sameShape, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, oneOf } from './core/preconditions.js'

/** How {@link merge} makes one tensor of several; `concat` joins the channels. */
export type MergeKind = 'add' | 'multiply' | 'concat' | 'average'

/** The shape function of {@link merge}. */
export interface Merge<How extends MergeKind> extends ShapeFunction {
  readonly out: this['in'] extends Shape | Integers
    ? Expects<'expectsRecord', 'merge', this['in']>
    : FieldNames<this['in']> extends readonly [infer First extends keyof this['in'] & string, ...infer Rest]
      ? this['in'][First] extends Shape ? Join<How, this['in'], First, Rest, this['in'][First]> : NotATensor<How, First, this['in'][First]>
      : Misfit<'nothingToMerge', { how: How }, 'merge'>
}
/** `Sum` is what the fields before those of `Names` make together. */
type Join<How extends MergeKind, R, First extends keyof R & string, Names, Sum> = Names extends readonly [infer N extends keyof R & string, ...infer Rest]
  ? R[N] extends Shape
    ? Two<How, Sum, R[N]> extends infer O ? ([O] extends [never] ? MergeError<How, First, N, R[First], R[N]> : Join<How, R, First, Rest, O>) : never
    : NotATensor<How, N, R[N]>
  : Sum
type Two<How extends MergeKind, A, B> = How extends 'concat'
  ? [A, B] extends [readonly [...infer RA, infer CA extends number], readonly [...infer RB, infer CB extends number]]
    ? Agree<RA, RB> extends infer Rest extends Shape ? ([Rest] extends [never] ? never : readonly [...Rest, Add<CA, CB>]) : never
    : never
  : Agree<A, B>
type MergeError<How extends MergeKind, NA extends string, NB extends string, SA, SB> = Misfit<'mergeMisfit', { how: How; left: NA; leftShape: Show<SA>; right: NB; rightShape: Show<SB> }, 'merge'>
type NotATensor<How extends MergeKind, N extends string, S> = Misfit<'mergeExpectsTensors', { how: How; field: N; shape: Show<S> }, 'merge'>

/**
 * One tensor of a record of tensors: their sum, product, mean, or their channels side by side, in the order
 * of the fields. `{ a: [..., c], b: [..., c] } → [..., c]`; `concat`: the channels add up. For tokens one after the
 * other there is `joinTokens`.
 * Errors: `expectsRecord`, `mergeExpectsTensors`, `mergeMisfit`, `nothingToMerge`, `unknownOption`.
 *
 * @example
 * pipe(input(198, 192), fanOut({ cls: takeToken(0), dist: takeToken(1) }), merge('average')) // Model<[198, 192], [192]>
 */
export const merge = <const How extends MergeKind>(how: How): Layer<Merge<How>> =>
  defineLayer<Merge<How>, Readonly<Record<string, Tensor>>, SignalShape>('merge', merge, [how], {
    config: { how },
    accepts: 'record',
    check: shape => firstOf(() => oneOf('merge', 'the kind', how, ['add', 'multiply', 'concat', 'average']), () => fit(shape, how)),
    forward: record => {
      const [first, ...rest] = Object.values(record) as [Tensor, ...Tensor[]]
      if (rest.length === 0) return first
      if (how === 'concat') return concat([first, ...rest], first.shape.length - 1)
      if (how === 'multiply') return rest.reduce<Tensor>(multiply, first)
      const total = rest.reduce<Tensor>(add, first)
      return how === 'add' ? total : multiply(total, scalar(1 / (rest.length + 1)))
    },
  })

/** What generators may give {@link merge}. */
export const mergeArguments: Arguments = [choice.among('add', 'multiply', 'concat', 'average')]

const fit = (shape: SignalShape, how: MergeKind): Problem | undefined => {
  if (isShape(shape) || isIntegers(shape)) return misfit('expectsRecord', { layer: 'merge', shape: show(shape) })
  const [left, ...others] = fieldNames(shape)
  if (left === undefined) return misfit('nothingToMerge', { how })
  const first = shape[left]!
  if (!isShape(first)) return misfit('mergeExpectsTensors', { how, field: left, shape: show(first) })
  for (const right of others) {
    const other = shape[right]!
    if (!isShape(other)) return misfit('mergeExpectsTensors', { how, field: right, shape: show(other) })
    const fits = how === 'concat' ? first.length > 0 && sameShape(first.slice(0, -1), other.slice(0, -1)) : sameShape(first, other)
    if (!fits) return misfit('mergeMisfit', { how, left, leftShape: show(first), right, rightShape: show(other) })
  }
  return undefined
}
