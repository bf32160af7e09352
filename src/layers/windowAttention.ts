import { add, attention, linear, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Multiply } from '../shape/natural.js'
import { type HeightOf, type Pair, pairOf, type WidthOf } from '../shape/patches.js'
import { problem, type Problem } from '../shape/problem.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { attentionDropout as dropWeights } from './attentionDropout.js'
import { attentionWeights, weighted } from './core/attentionWeights.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer, type Window } from './core/layer.js'
import { amounts, firstOf, pairs, rates, sizes, tokens } from './core/preconditions.js'
import { relativePositionBias, relativePositionCount, relativePositions } from './core/relativePositionIndex.js'
import { windowTokens } from './core/windowTokens.js'
import { dropout } from './dropout.js'
import { splitsIntoHeads, type SplitsIntoHeads } from './selfAttention.js'

/** Options of {@link windowAttention}. */
export interface WindowAttentionConfig<H extends number, D extends number, W extends Pair> {
  readonly numHeads: H
  /** Channels of a head; the channels that arrive, split among the heads, unless given. */
  readonly headDim?: D
  /** The window that the tokens are, `[height, width]`; inside `windows` it is known, elsewhere a square is assumed. */
  readonly windowSize?: W
  /** Whether the query, key and value projections have a bias (default true). */
  readonly qkvBias?: boolean
  /** What queries are multiplied by (default `1/√headDim`). */
  readonly scale?: number
  /** Rate at which attention weights are dropped in training (default 0). */
  readonly attentionDropout?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/** The shape function of {@link windowAttention}; where `D` and `W` are not given they are `number` and `Pair`. */
export interface WindowAttention<H extends number, D extends number, W extends Pair> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? (number extends D ? Apply<SplitsIntoHeads<H>, this['in']> : this['in']) extends infer O
      ? O extends AnyShapeError ? O
      : number extends N | HeightOf<W> | WidthOf<W> ? O
      : N extends Multiply<HeightOf<W>, WidthOf<W>> ? O : NoWindow<N, C, W>
      : never
    : Expects<'expectsTokens', 'attention', this['in']>
}
type NoWindow<N extends number, C extends number, W extends Pair> =
  Misfit<'windowDiffers', { tokens: N; windowHeight: HeightOf<W>; windowWidth: WidthOf<W>; shape: Show<readonly [N, C]> }, 'attention'>

/**
 * Multi-head self-attention over the tokens of one window, with a learned bias for each relative position
 * (Liu et al., 2021, equation 4). `[tokens, dim] → [tokens, dim]`. Inside `windows` it works on each window
 * and minds the mask of shifted ones.
 *
 * Parameters under `attn`: `relative_position_bias_table [(2·height − 1)·(2·width − 1), numHeads]`,
 * `qkv.weight [3·numHeads·headDim, dim]` (rows q, k, v, each head by head), `qkv.bias`, `proj.weight
 * [dim, numHeads·headDim]`, `proj.bias`. The features `<path>.relative_position_index`, and `<path>.weights`: `[heads, tokens, tokens]`, inside
 * `windows` one such for each window.
 * Errors: `expectsTokens`, `headsDoNotSplit`, `windowDiffers`, `windowUnknown`, `notTheWindow`, `notAPair`, `notASize`, `notAnAmount`, `notARate`.
 *
 * @example
 * pipe(input(49, 96), windowAttention({ numHeads: 3 })) // Model<[49, 96], [49, 96]>
 */
export const windowAttention = <const H extends number, const D extends number = number, const W extends Pair = Pair>(config: WindowAttentionConfig<H, D, W>): Layer<WindowAttention<H, D, W>> => {
  const { numHeads, headDim, windowSize, qkvBias = true, scale, attentionDropout = 0, projDropout = 0 } = config
  const widthOf = (dim: number): number => (headDim === undefined ? dim : numHeads * headDim)
  return defineLayer('windowAttention', windowAttention, [config], {
    label: 'attention',
    config: { numHeads, headDim, windowSize, qkvBias, scale, attentionDropout, projDropout },
    scope: 'attn',
    check: (shape, window) =>
      firstOf(
        () => (headDim === undefined ? splitsIntoHeads(shape, numHeads) : firstOf(() => sizes('attention', { numHeads, headDim }), () => tokens('attention', shape))),
        () => (windowSize === undefined ? undefined : pairs('attention', { windowSize })),
        () => isWindow(shape, window, windowSize),
        () => (scale === undefined ? undefined : amounts('attention', { scale })),
        () => rates('attention', { attentionDropout, projDropout }),
      ),
    parameters: (shape, window) => {
      const [dim, width] = [shape[1]!, widthOf(shape[1]!)]
      return {
        relative_position_bias_table: { shape: [relativePositionCount(...sidesOf(shape, window, windowSize)), numHeads], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
        'qkv.weight': { shape: [3 * width, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
        ...(qkvBias ? { 'qkv.bias': { shape: [3 * width], initialiser: { kind: 'zeros' } } as const } : {}),
        'proj.weight': { shape: [dim, width], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
        'proj.bias': { shape: [dim], initialiser: { kind: 'zeros' } },
      }
    },
    traits: { order: 'positional' },
    forward: (x, context) => {
      const { parameters, apply, mode, window, path, record, offer } = context
      const [count, dim] = x.shape as readonly [number, number]
      const width = widthOf(dim)
      const qkv = linear(x, parameters['qkv.weight']!, parameters['qkv.bias'])
      const [q, k, v] = [0, 1, 2].map(i => slice(qkv, [0, i * width], [count, width])) as [Tensor, Tensor, Tensor]
      const factor = scale ?? (width / numHeads) ** -0.5
      const index = record(`${path}.relative_position_index`, relativePositions(...sidesOf(x.shape, window, windowSize))) as Tensor
      const positions = relativePositionBias(parameters['relative_position_bias_table']!, index)
      const bias = window?.mask === undefined ? positions : add(positions, window.mask)
      const weights = offer(`${path}.weights`, () => attentionWeights(q, k, { numHeads, scale: factor }, bias))
      const attended = mode === 'training' && attentionDropout > 0 ? weighted(apply(dropWeights(attentionDropout), weights()) as Tensor, v) : attention(q, k, v, { numHeads, scale: factor }, bias)
      const projected = linear(attended, parameters['proj.weight']!, parameters['proj.bias'])
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link windowAttention}. */
export const windowAttentionArguments: Arguments = [choice.options({ numHeads: choice.divisorOf('channels') }, { headDim: choice.whole(1, 5), windowSize: choice.factorsOf('tokens'), qkvBias: choice.flag, scale: choice.among(0.3, 1), attentionDropout: choice.rate, projDropout: choice.rate })]

/** The window's sides: those it was cut by, those that were given, or those of a square. */
const sidesOf = (shape: Shape, window: Window | undefined, windowSize: Pair | undefined): readonly [number, number] =>
  window?.size ?? pairOf(windowSize ?? Math.sqrt(shape[0]!))

const isWindow = (shape: Shape, window: Window | undefined, windowSize: Pair | undefined): Problem | undefined => {
  if (windowSize === undefined && window !== undefined) return windowTokens(shape, window)
  const [windowHeight, windowWidth] = windowSize === undefined ? sidesOf(shape, window, windowSize) : pairOf(windowSize)
  if (windowHeight * windowWidth !== shape[0] && windowSize !== undefined) return misfit('windowDiffers', { tokens: shape[0]!, windowHeight, windowWidth, shape: show(shape) })
  return Number.isInteger(windowHeight) && Number.isInteger(windowWidth)
    ? undefined
    : problem('windowUnknown', `attention: ${shape[0]} tokens are not a square window (${show(shape)})`, { remedy: 'say which: windowAttention({ windowSize: [height, width] })' })
}
