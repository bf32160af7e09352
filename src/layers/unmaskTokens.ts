import { broadcast, concat, gather, reshape, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Add, IsLess, Subtract } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { type Integers, isIntegers, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { misfit, type Expects, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer } from './core/layer.js'
import { counts, firstOf, tokens } from './core/preconditions.js'

/** Options of {@link unmaskTokens}. */
export interface UnmaskTokensConfig<P extends number> {
  /** How many tokens at the front (a class token) stand before those that were masked (default 0). */
  readonly prefixTokens?: P
}

/** The shape function of {@link unmaskTokens}. */
export interface UnmaskTokens<P extends number> extends ShapeFunction {
  readonly out: IfFields<this['in'], 'unmaskTokens', readonly ['x', 'ids_restore'], Restored<this['in'], P>>
}
type Restored<S, P extends number> = S extends { readonly x: infer X; readonly ids_restore: infer Ids }
  ? X extends readonly [infer N extends number, infer C extends number]
    ? Ids extends Integers<readonly [infer L extends number]>
      ? P extends 0 ? OfRest<N, C, L, P> : IsLess<N, P> extends true ? PrefixTooLong<P, N, C> : OfRest<Subtract<N, P>, C, L, P>
      : Expects<'expectsIntegers', 'unmaskTokens', Ids>
    : Expects<'expectsTokens', 'unmaskTokens', X>
  : never
type OfRest<N extends number, C extends number, L extends number, P extends number> = IsLess<L, N> extends true ? Misfit<'placesMisfit', { tokens: N; prefixTokens: P; places: L }, 'unmaskTokens'> : readonly [Add<L, P>, C]
type PrefixTooLong<P extends number, N extends number, C extends number> = Misfit<'prefixTooLong', { layer: 'unmaskTokens'; prefixTokens: P; tokens: N; shape: Show<readonly [N, C]> }, 'unmaskTokens'>

/**
 * Puts tokens back where `maskTokens` took them from, a learned mask token wherever one is gone (He et al., 2021, MAE,
 * section 3). `{ x: [prefix + kept, dim], ids_restore: integers [tokens] } → [prefix + tokens, dim]`; other fields are let go.
 *
 * Parameter: `mask_token [1, 1, dim]`. Errors: `expectsRecord`, `noSuchField`, `expectsTokens`, `expectsIntegers`, `prefixTooLong`, `placesMisfit`, `notACount`.
 *
 * @example
 * pipe(inputs({ x: input(50, 512), ids_restore: integerInput(196) }), unmaskTokens({ prefixTokens: 1 })) // Model<{ x: [50, 512], ids_restore: Integers<[196]> }, [197, 512]>
 */
export const unmaskTokens = <const P extends number = 0>(config: UnmaskTokensConfig<P> = {}): Layer<UnmaskTokens<P>> => {
  const { prefixTokens = 0 as P } = config
  return defineLayer<UnmaskTokens<P>, Readonly<Record<'x' | 'ids_restore', Tensor>>, SignalShape>('unmaskTokens', unmaskTokens, [config], {
    config: { prefixTokens },
    accepts: 'record',
    check: shape => firstOf(() => counts('unmaskTokens', { prefixTokens }), () => lacksFields('unmaskTokens', shape, ['x', 'ids_restore']), () => fit(shape as Readonly<Record<'x' | 'ids_restore', SignalShape>>, prefixTokens)),
    parameters: shape => ({ mask_token: { shape: [1, 1, (shape as Readonly<Record<'x', Shape>>).x[1] as number], initialiser: { kind: 'normal', std: 0.02 } } }),
    forward: ({ x, ids_restore: restore }, { parameters }) => {
      const [count, dim] = x.shape as readonly [number, number]
      const kept = count - prefixTokens
      const gone = (restore.shape[0] as number) - kept
      const stays = prefixTokens === 0 ? x : slice(x, [prefixTokens, 0], [kept, dim])
      const all = gone === 0 ? stays : concat([stays, broadcast(reshape(parameters['mask_token']!, [1, dim]), [gone, dim])], 0)
      const back = gather(all, restore)
      return prefixTokens === 0 ? back : concat([slice(x, [0, 0], [prefixTokens, dim]), back], 0)
    },
  })
}

/** What generators may give {@link unmaskTokens}. */
export const unmaskTokensArguments: Arguments = [choice.options({}, { prefixTokens: choice.whole(0, 2) })]
/** The record that {@link unmaskTokens} takes. */
export const unmaskTokensTakes: Takes = { x: ['n', 'c'], ids_restore: { integers: ['m'] } }

const fit = ({ x, ids_restore: ids }: Readonly<Record<'x' | 'ids_restore', SignalShape>>, prefixTokens: number): Problem | undefined => {
  const wrong = tokens('unmaskTokens', x as Shape)
  if (wrong !== undefined) return wrong
  if (!isIntegers(ids) || ids.integers.length !== 1) return misfit('expectsIntegers', { layer: 'unmaskTokens', shape: show(ids) })
  const [count] = x as readonly [number, number]
  if (count <= prefixTokens) return misfit('prefixTooLong', { layer: 'unmaskTokens', prefixTokens, tokens: count, shape: show(x) })
  const [places] = ids.integers as readonly [number]
  return places < count - prefixTokens ? misfit('placesMisfit', { tokens: count - prefixTokens, prefixTokens, places }) : undefined
}
