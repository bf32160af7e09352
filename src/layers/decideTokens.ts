import { concat, constant, multiply, reshape, slice, subtract } from '../ops/ops.js'
import { isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import type { IsLess, Subtract } from '../shape/natural.js'
import { problem } from '../shape/problem.js'
import { type Integers, type Shape, show, type Show } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { keepDecision, logisticNoise } from './core/keepDecision.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { counts, firstOf, tokens } from './core/preconditions.js'
import { refuse, shapeOfSignal } from './core/refuse.js'

/** Options of {@link decideTokens}. */
export interface DecideTokensConfig<P extends number> {
  /** How many tokens at the front (class token, registers) always count, and have no score (default 1). */
  readonly prefixTokens?: P
  /** How soft the gradient of a decision is (default 1). */
  readonly temperature?: number
}

/** The shape function of {@link decideTokens}. */
export interface DecideTokens<Name extends string, F extends ShapeFunction, G extends ShapeFunction, P extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? IsLess<P, N> extends false ? PrefixTooLong<P, N, C> : Decided<Name, Apply<F, readonly [Subtract<N, P>, C]>, Apply<G, this['in']>, Subtract<N, P>>
    : Expects<'expectsTokens', 'decideTokens', this['in']>
}
type PrefixTooLong<P extends number, N extends number, C extends number> = Misfit<'prefixTooLong', { layer: 'decideTokens'; prefixTokens: P; tokens: N; shape: Show<readonly [N, C]> }, 'decideTokens'>
type Decided<Name extends string, Scores, Outputs, N extends number> = Scores extends AnyShapeError ? Scores
  : Scores extends readonly [number, 2]
    ? Outputs extends AnyShapeError ? Outputs
    : { readonly [K in keyof Fields<Outputs> | Name]: K extends Name ? readonly [N] : Fields<Outputs>[K & keyof Fields<Outputs>] }
  : Misfit<'expectsScores', { layer: 'decideTokens'; shape: Show<Scores> }, 'decideTokens'>

/** What follows gives, by name. */
type Fields<Outputs> = Outputs extends Shape | Integers ? { readonly output: Outputs } : Outputs

/**
 * Token pruning as it is learned (Rao et al., 2021, "DynamicViT", section 3.3): a layer scores every token, each is kept
 * or dropped at random accordingly, and `rest`, everything that follows, runs on all of them, but what was dropped no
 * longer counts: neither in attention nor in later decisions, and never comes back. Gradients reach the scores, since a
 * decision has the slope of its probability. In inference the better score decides. See `keepTokens`, which really drops.
 *
 * `[tokens, dim] → { ...what rest gives, name: [tokens − prefixTokens] }`, the decisions being 1 or 0. The layer of the
 * scores gives `[tokens, 2]`, for keeping and dropping; where `rest` gives one tensor, it is called `output`.
 * Errors: `expectsTokens`, `prefixTooLong`, `expectsScores`, `badName`, `notATemperature`, `notACount`, and those of both layers.
 *
 * @example
 * pipe(input(197, 384), decideTokens('kept', tokenScores(), serial(encoderBlock({ numHeads: 6 }), fanOut({ cls: takeToken(0) })))) // Model<[197, 384], { cls: [384], kept: [196] }>
 */
export const decideTokens = <const Name extends string, L extends AnyLayer, R extends AnyLayer, const P extends number = 1>(
  name: Name, scores: L, rest: R, config: DecideTokensConfig<P> = {},
): Layer<DecideTokens<Name, ShapeFunctionOf<L>, ShapeFunctionOf<R>, P>> => {
  const { prefixTokens = 1 as P, temperature = 1 } = config
  return defineLayer<DecideTokens<Name, ShapeFunctionOf<L>, ShapeFunctionOf<R>, P>>('decideTokens', decideTokens, [name, scores, rest, config], {
    config: { name, prefixTokens, temperature },
    check: shape =>
      firstOf(
        () => (/^\w+$/.test(name) && name !== 'integers' ? undefined : problem('badName', `decideTokens: '${name}' is no name for a field; use letters, digits and underscores`)),
        () => counts('decideTokens', { prefixTokens }),
        () => (Number.isFinite(temperature) && temperature > 0 ? undefined : problem('notATemperature', `decideTokens: temperature must be a number above 0, got ${String(temperature)}`)),
        () => tokens('decideTokens', shape),
        () => (prefixTokens < (shape[0] as number) ? undefined : misfit('prefixTooLong', { layer: 'decideTokens', prefixTokens, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { chooses: 1 },
    forward: (x, { applyUnder, policy, mode, path }) => {
      const [count, dim] = x.shape as readonly [number, number]
      const others = count - prefixTokens
      const before = policy === undefined ? undefined : slice(policy, [prefixTokens, 0], [others, 1])
      const advantage = advantageOf(applyUnder(before, scores, slice(x, [prefixTokens, 0], [others, dim])))
      const noise = mode === 'training' ? logisticNoise(path === '' ? name : `${path}.${name}`, others) : undefined
      const decision = keepDecision(advantage, noise, temperature)
      const kept = before === undefined ? decision : multiply(decision, before)
      const counted = prefixTokens === 0 ? kept : concat([constant(new Float32Array(prefixTokens).fill(1), [prefixTokens, 1]), kept], 0)
      const outputs = applyUnder(counted, rest, x)
      return { ...(isTensor(outputs) ? { output: outputs } : outputs), [name]: reshape(kept, [others]) }
    },
  })
}

/** What generators may give {@link decideTokens}. */
export const decideTokensArguments: Arguments = [choice.name, choice.layer('pairs'), choice.layer(), choice.options({}, { prefixTokens: choice.whole(0, 1), temperature: choice.among(0.5, 1) })]

/** The score of keeping less that of dropping, `[tokens, 1]`. */
const advantageOf = (scores: Signal): Tensor => {
  if (!isTensor(scores) || scores.shape.length !== 2 || scores.shape[1] !== 2) return refuse('expectsScores', { layer: 'decideTokens', shape: show(shapeOfSignal(scores)) })
  const [keep, drop] = [0, 1].map(column => slice(scores, [0, column], [(scores as Tensor).shape[0] as number, 1])) as [Tensor, Tensor]
  return subtract(keep, drop)
}
