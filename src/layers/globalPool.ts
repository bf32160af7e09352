import { add, max, mean, multiply, scalar, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { IsLess } from '../shape/natural.js'
import { show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { counts, firstOf, oneOf } from './core/preconditions.js'

/** Options of {@link globalPool}. */
export interface GlobalPoolConfig<P extends number> {
  /** `average` (default), `max`, or the mean of the two. */
  readonly kind?: 'average' | 'max' | 'averageMax'
  /** How many tokens at the front (class token, registers) are left out (default 0). */
  readonly prefixTokens?: P
}

/** The shape function of {@link globalPool}. */
export interface GlobalPool<P extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? P extends 0 ? readonly [C] : IsLess<P, N> extends false ? PrefixTooLong<P, N, C> : readonly [C]
    : this['in'] extends readonly [number, number, infer C extends number] ? readonly [C]
    : Expects<'expectsTokens', 'globalPool', this['in']>
}

type PrefixTooLong<P extends number, N extends number, C extends number> = Misfit<'prefixTooLong', { layer: 'globalPool'; prefixTokens: P; tokens: N; shape: Show<readonly [N, C]> }, 'globalPool'>

/**
 * One vector for all tokens or all places: their mean, or their largest element in each channel.
 * `[tokens, dim] → [dim]`, `[height, width, dim] → [dim]`. Errors: `expectsTokens`, `prefixTooLong`, `notACount`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 192), globalPool({ prefixTokens: 1 })) // Model<[197, 192], [192]>
 */
export const globalPool = <const P extends number = 0>(config: GlobalPoolConfig<P> = {}): Layer<GlobalPool<P>> => {
  const { kind = 'average', prefixTokens = 0 as P } = config
  return defineLayer('globalPool', globalPool, [config], {
    config: { kind, prefixTokens },
    check: shape =>
      firstOf(
        () => oneOf('globalPool', 'kind', kind, ['average', 'max', 'averageMax']),
        () => counts('globalPool', { prefixTokens }),
        () => (shape.length === 2 || shape.length === 3 ? undefined : misfit('expectsTokens', { layer: 'globalPool', shape: show(shape) })),
        () => (shape.length === 3 || prefixTokens < (shape[0] as number) ? undefined : misfit('prefixTooLong', { layer: 'globalPool', prefixTokens, tokens: shape[0] as number, shape: show(shape) })),
      ),
    traits: { reach: 'channel', ...(prefixTokens === 0 ? { order: 'invariant' } : {}) },
    forward: x => {
      const axes = x.shape.slice(0, -1).map((_, axis) => axis)
      const kept: Tensor = prefixTokens === 0 || axes.length === 2 ? x : slice(x, [prefixTokens, 0], [(x.shape[0] as number) - prefixTokens, x.shape[1] as number])
      if (kind === 'average') return mean(kept, axes)
      return kind === 'max' ? max(kept, axes) : multiply(add(mean(kept, axes), max(kept, axes)), scalar(0.5))
    },
  })
}

/** What generators may give {@link globalPool}. */
export const globalPoolArguments: Arguments = [choice.options({}, { kind: choice.among('average', 'max', 'averageMax'), prefixTokens: choice.below('tokens') })]
