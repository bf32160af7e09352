import { argsort, concat, gather, reshape, slice, transpose } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Add, IsLess, Subtract } from '../shape/natural.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { counts, firstOf, sizes, tokens } from './core/preconditions.js'
import { refuse } from './core/refuse.js'

/** Options of {@link keepTokens}. */
export interface KeepTokensConfig<P extends number> {
  /** How many tokens at the front (class token, registers) are always kept, and have no score (default 1). */
  readonly prefixTokens?: P
  /** The name under which the numbers of the kept tokens can be asked for, the prefix not counted. */
  readonly indices?: string
}

/** The shape function of {@link keepTokens}. */
export interface KeepTokens<K extends number, F extends ShapeFunction, P extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? IsLess<N, Add<K, P>> extends true ? CannotKeep<K, N, C> : Kept<Apply<F, readonly [Subtract<N, P>, C]>, K, C, P>
    : Expects<'expectsTokens', 'keepTokens', this['in']>
}
type CannotKeep<K extends number, N extends number, C extends number> = Misfit<'cannotKeep', { keep: K; tokens: N; shape: Show<readonly [N, C]> }, 'keepTokens'>
type Kept<Scores, K extends number, C extends number, P extends number> = Scores extends AnyShapeError ? Scores : Scores extends readonly [number, number] ? readonly [Add<K, P>, C] : Expects<'expectsTokens', 'keepTokens', Scores>

/**
 * Goes on with the `keep` tokens of the highest score, best first, behind the prefix tokens (Rao et al., 2021,
 * "DynamicViT", section 3.4): how many is fixed, so that what follows has less to do. The score of a token is the first
 * channel that a layer gives for it; equal scores keep their order. `[tokens, dim] → [prefixTokens + keep, dim]`.
 *
 * No gradient reaches the layer of the scores: see `decideTokens` for training.
 * Errors: `expectsTokens`, `cannotKeep`, `notASize`, `notACount`, and those of the layer.
 *
 * @example
 * pipe(input(197, 384), keepTokens(137, tokenScores())) // Model<[197, 384], [138, 384]>
 */
export const keepTokens = <const K extends number, L extends AnyLayer, const P extends number = 1>(keep: K, scores: L, config: KeepTokensConfig<P> = {}): Layer<KeepTokens<K, ShapeFunctionOf<L>, P>> => {
  const { prefixTokens = 1 as P, indices } = config
  return defineLayer<KeepTokens<K, ShapeFunctionOf<L>, P>>('keepTokens', keepTokens, [keep, scores, config], {
    config: { keep, prefixTokens, indices },
    check: shape =>
      firstOf(
        () => sizes('keepTokens', { keep }),
        () => counts('keepTokens', { prefixTokens }),
        () => tokens('keepTokens', shape),
        () => (keep + prefixTokens <= (shape[0] as number) ? undefined : misfit('cannotKeep', { keep, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { chooses: 1 },
    forward: (x, { apply, record }) => {
      const [count, dim] = x.shape as readonly [number, number]
      const others = slice(x, [prefixTokens, 0], [count - prefixTokens, dim])
      const ranked = argsort(scoreOf(apply(scores, others) as Tensor, count - prefixTokens), { descending: true })
      const kept = slice(ranked, [0], [keep])
      if (indices !== undefined) record(indices, kept)
      const chosen = gather(others, kept)
      return prefixTokens === 0 ? chosen : concat([slice(x, [0, 0], [prefixTokens, dim]), chosen], 0)
    },
  })
}

/** What generators may give {@link keepTokens}. */
export const keepTokensArguments: Arguments = [choice.whole(1, 3), choice.layer('tokens'), choice.options({}, { prefixTokens: choice.whole(0, 1), indices: choice.name })]

/** The first channel of each token, `[tokens]`. */
const scoreOf = (scores: Tensor, count: number): Tensor => {
  if (scores.shape.length !== 2) refuse('expectsTokens', { layer: 'keepTokens', shape: show(scores.shape as Shape) })
  return reshape(transpose(slice(scores, [0, 0], [count, 1]), [1, 0]), [count])
}
