import { argsort, concat, constant, gather, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Add, DivMod, IsLess, Multiply, Subtract } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { type Integers, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { misfit, type Expects, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer } from './core/layer.js'
import { counts, firstOf, rates, tokens } from './core/preconditions.js'

/** Options of {@link maskTokens}. */
export interface MaskTokensConfig<R extends number, P extends number> {
  /** The share of the tokens that is taken away, at least 0 and below 1. */
  readonly maskRatio: R
  /** How many tokens at the front (a class token) always stay (default 0). */
  readonly prefixTokens?: P
}

/** Shares that a float64 holds exactly, as what they keep: of any other, rounding decides, which the compiler does not know. */
interface Kept {
  readonly 0: [1, 1]
  readonly 0.125: [7, 8]
  readonly 0.25: [3, 4]
  readonly 0.375: [5, 8]
  readonly 0.5: [1, 2]
  readonly 0.625: [3, 8]
  readonly 0.75: [1, 4]
  readonly 0.875: [1, 8]
}
type KeptOf<L extends number, R extends number> = R extends keyof Kept ? DivMod<Multiply<L, Kept[R][0]>, Kept[R][1]>[0] : number

/** The shape function of {@link maskTokens}. */
export interface MaskTokens<R extends number, P extends number> extends ShapeFunction {
  readonly out: IfFields<this['in'], 'maskTokens', readonly ['x', 'noise'], Masked<this['in'], R, P>>
}
type Masked<S, R extends number, P extends number> = S extends { readonly x: infer X; readonly noise: infer Noise }
  ? X extends readonly [infer N extends number, infer C extends number]
    ? P extends 0 ? OfRest<N, C, Noise, R, P> : IsLess<P, N> extends false ? PrefixTooLong<P, N, C> : OfRest<Subtract<N, P>, C, Noise, R, P>
    : Expects<'expectsTokens', 'maskTokens', X>
  : never
type OfRest<L extends number, C extends number, Noise, R extends number, P extends number> = Noise extends readonly [infer M extends number]
  ? number extends L | M ? Split<L, C, R, P> : [L, M] extends [M, L] ? Split<L, C, R, P> : NoiseMisfit<L, P, Noise>
  : NoiseMisfit<L, P, Noise>
type Split<L extends number, C extends number, R extends number, P extends number> = KeptOf<L, R> extends infer K extends number
  ? K extends 0
    ? Misfit<'nothingKept', { maskRatio: R; tokens: L }, 'maskTokens'>
    : { readonly x: readonly [Add<K, P>, C]; readonly mask: readonly [L]; readonly ids_restore: Integers<readonly [L]> }
  : never
type NoiseMisfit<L extends number, P extends number, Noise> = Misfit<'noiseMisfit', { tokens: L; prefixTokens: P; noise: Show<Noise> }, 'maskTokens'>
type PrefixTooLong<P extends number, N extends number, C extends number> = Misfit<'prefixTooLong', { layer: 'maskTokens'; prefixTokens: P; tokens: N; shape: Show<readonly [N, C]> }, 'maskTokens'>

/** How many of some tokens stay, rounded as the reference implementation does. */
const keptOf = (count: number, maskRatio: number): number => Math.floor(count * (1 - maskRatio))

/**
 * Takes tokens away at random (He et al., 2021, MAE, section 3): those with the least noise stay, in its order;
 * of equal noise, those that come first. `{ x: [prefix + tokens, dim], noise: [tokens] } →
 * { x: [prefix + kept, dim], mask: [tokens], ids_restore: integers [tokens] }`. The noise is an input, so that the same
 * gives the same: uniform numbers from 0 to 1, drawn anew for each image. `mask` is 1 for what was taken away;
 * `ids_restore` is the place of each token among those that stay and then those that do not, for `unmaskTokens`.
 *
 * Errors: `expectsRecord`, `noSuchField`, `expectsTokens`, `prefixTooLong`, `noiseMisfit`, `nothingKept`, `notACount`, `notARate`.
 *
 * @example
 * pipe(inputs({ x: input(197, 768), noise: input(196) }), maskTokens({ maskRatio: 0.75, prefixTokens: 1 })) // Model<{ x: [197, 768], noise: [196] }, { x: [50, 768], mask: [196], ids_restore: Integers<[196]> }>
 */
export const maskTokens = <const R extends number, const P extends number = 0>(config: MaskTokensConfig<R, P>): Layer<MaskTokens<R, P>> => {
  const { maskRatio, prefixTokens = 0 as P } = config
  return defineLayer<MaskTokens<R, P>, Readonly<Record<'x' | 'noise', Tensor>>, SignalShape>('maskTokens', maskTokens, [config], {
    config: { maskRatio, prefixTokens },
    accepts: 'record',
    check: shape =>
      firstOf(
        () => rates('maskTokens', { maskRatio }),
        () => counts('maskTokens', { prefixTokens }),
        () => lacksFields('maskTokens', shape, ['x', 'noise']),
        () => fit(shape as Readonly<Record<'x' | 'noise', SignalShape>>, maskRatio, prefixTokens),
      ),
    forward: ({ x, noise }) => {
      const [count, dim] = x.shape as readonly [number, number]
      const [rest, kept] = [count - prefixTokens, keptOf(count - prefixTokens, maskRatio)]
      const shuffle = argsort(noise)
      const restore = argsort(shuffle)
      const stays = gather(prefixTokens === 0 ? x : slice(x, [prefixTokens, 0], [rest, dim]), slice(shuffle, [0], [kept]))
      const gone = constant(Float32Array.from({ length: rest }, (_, place) => (place < kept ? 0 : 1)), [rest])
      return { x: prefixTokens === 0 ? stays : concat([slice(x, [0, 0], [prefixTokens, dim]), stays], 0), mask: gather(gone, restore), ids_restore: restore }
    },
  })
}

/** What generators may give {@link maskTokens}. */
export const maskTokensArguments: Arguments = [choice.options({ maskRatio: choice.among(0, 0.5, 0.75, 0.25) }, { prefixTokens: choice.whole(0, 2) })]
/** The record that {@link maskTokens} takes. */
export const maskTokensTakes: Takes = { x: ['n', 'c'], noise: ['n'] }

const fit = ({ x, noise }: Readonly<Record<'x' | 'noise', SignalShape>>, maskRatio: number, prefixTokens: number): Problem | undefined => {
  const wrong = tokens('maskTokens', x as Shape)
  if (wrong !== undefined) return wrong
  const [count] = x as readonly [number, number]
  if (prefixTokens >= count) return misfit('prefixTooLong', { layer: 'maskTokens', prefixTokens, tokens: count, shape: show(x) })
  const rest = count - prefixTokens
  if (show(noise) !== show([rest])) return misfit('noiseMisfit', { tokens: rest, prefixTokens, noise: show(noise) })
  return keptOf(rest, maskRatio) === 0 ? misfit('nothingKept', { maskRatio, tokens: rest }) : undefined
}
