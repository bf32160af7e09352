import { add, concat, multiply, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import type { Add } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { isIntegers, isShape, sameShape, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, oneOf } from './core/preconditions.js'

/** How {@link merge} makes one tensor of several; `concat` joins the channels. */
export type MergeKind = 'add' | 'multiply' | 'concat' | 'average'

/** The shape function of {@link merge}. */
export interface Merge<How extends MergeKind> extends ShapeFunction {
  readonly out: this['in'] extends Shape | { readonly integers: Shape }
    ? Expects<'expectsRecord', 'merge', this['in']>
    : Fold<Entries<this['in']>, How>
}
/** The fields of a record as a list. Order does not change the result, only which misfit is told first. */
type Entries<R> = ListOf<keyof R> extends infer Keys extends readonly PropertyKey[] ? { readonly [I in keyof Keys]: readonly [Keys[I], R[Keys[I] & keyof R]] } : never
type ListOf<U, Done extends readonly unknown[] = []> = [U] extends [never] ? Done : LastOf<U> extends infer L ? ListOf<Exclude<U, L>, [L, ...Done]> : never
type LastOf<U> = (U extends unknown ? (u: () => U) => void : never) extends (f: infer I) => void ? (I extends () => infer L ? L : never) : never

type Fold<Es, How extends MergeKind> = Es extends readonly [infer E, ...infer Rest] ? (Rest extends readonly [] ? Value<E> : Pairwise<E, Rest, How>) : never
type Value<E> = E extends readonly [unknown, infer S] ? S : never
type Pairwise<A, Rest, How extends MergeKind> = Rest extends readonly [infer B, ...infer More]
  ? Two<A, B, How> extends infer O ? (O extends Shape ? Pairwise<readonly [A extends readonly [infer N, unknown] ? N : never, O], More, How> : O) : never
  : Value<A>
type Two<A, B, How extends MergeKind> = A extends readonly [infer NA, infer SA]
  ? B extends readonly [infer NB, infer SB]
    ? How extends 'concat'
      ? [SA, SB] extends [readonly [...infer RA, infer CA extends number], readonly [...infer RB, infer CB extends number]]
        ? Agree<RA, RB> extends infer Rest extends Shape ? ([Rest] extends [never] ? MergeError<How, NA, NB, SA, SB> : readonly [...Rest, Add<CA, CB>]) : never
        : MergeError<How, NA, NB, SA, SB>
      : [SA, SB] extends [Shape, Shape] ? Agree<SA, SB> extends infer Same ? ([Same] extends [never] ? MergeError<How, NA, NB, SA, SB> : Same) : never
      : MergeError<How, NA, NB, SA, SB>
    : never
  : never
type MergeError<How extends MergeKind, NA, NB, SA, SB> = Misfit<'mergeMisfit', { how: How; left: NA & string; leftShape: Show<SA>; right: NB & string; rightShape: Show<SB> }, 'merge'>

/**
 * One tensor of a record of tensors: their sum, product, mean, or their channels side by side, in the order
 * of the fields. `{ a: [..., c], b: [..., c] } → [..., c]`; `concat`: the channels add up.
 * Errors: `expectsRecord`, `mergeMisfit`.
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
      if (how === 'concat') return concat([first, ...rest], first.shape.length - 1)
      if (how === 'multiply') return rest.reduce<Tensor>(multiply, first)
      const total = rest.reduce<Tensor>(add, first)
      return how === 'add' ? total : multiply(total, scalar(1 / (rest.length + 1)))
    },
  })

const fit = (shape: SignalShape, how: MergeKind): Problem | undefined => {
  if (isShape(shape) || isIntegers(shape)) return misfit('expectsRecord', { layer: 'merge', shape: show(shape) })
  const fields = Object.entries(shape)
  const [left, first] = fields[0] ?? ['', []]
  for (const [right, other] of fields.slice(1)) {
    const fits = isShape(first) && isShape(other) && (how === 'concat' ? first.length > 0 && sameShape(first.slice(0, -1), other.slice(0, -1)) : sameShape(first, other))
    if (!fits) return misfit('mergeMisfit', { how, left, leftShape: show(first), right, rightShape: show(other) })
  }
  return undefined
}
