import { attention, linear, reshape, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { agree, type Agree } from '../shape/agree.js'
import type { Problem } from '../shape/problem.js'
import { type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { attentionWeights } from './core/attentionWeights.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, firstOf, tokens } from './core/preconditions.js'
import { splitsIntoHeads, type SplitsIntoHeads } from './selfAttention.js'

/** Options of {@link crossAttention}. */
export interface CrossAttentionConfig<H extends number> {
  readonly numHeads: H
  /** Whether the four projections have biases (default true). */
  readonly bias?: boolean
  /** What scores are multiplied by (default `1/√(dim/numHeads)`). */
  readonly scale?: number
}

/** The shape function of {@link crossAttention}. */
export interface CrossAttention<H extends number> extends ShapeFunction {
  readonly scope: 'attn'
  readonly out: IfFields<this['in'], 'crossAttention', readonly ['x', 'memory'], Attended<this['in'], H>>
  readonly path: string
  readonly inner: this['path'] extends 'weights' ? WeightsOf<H, this['in']> : never
}
type WeightsOf<H extends number, S> = S extends { readonly x: readonly [infer N extends number, number]; readonly memory: readonly [infer M extends number, number] } ? readonly [H, N, M] : never
type Attended<S, H extends number> = S extends { readonly x: infer X; readonly memory: infer M }
  ? KeysFit<S, M> extends infer Wrong extends AnyShapeError ? Wrong
    : M extends readonly [number, infer D extends number]
    ? X extends readonly [number, infer C extends number]
      ? number extends C | D ? Apply<SplitsIntoHeads<H>, X> : C extends D ? Apply<SplitsIntoHeads<H>, X> : Misfit<'memoryDiffers', { shape: Show<X>; memory: Show<M> }, 'crossAttention'>
      : Expects<'expectsTokens', 'crossAttention', X>
    : Expects<'expectsTokens', 'crossAttention', M>
  : never

/** Nothing, or what is wrong with the keys. */
type KeysFit<S, M> = S extends { readonly keys: infer K } ? ([Agree<K, M>] extends [never] ? Misfit<'keysDiffer', { memory: Show<M>; shape: Show<K> }, 'crossAttention'> : undefined) : undefined

/**
 * Attention from tokens to those of another signal: queries from `x`, keys and values from `memory` (Vaswani et al., 2017,
 * section 3.2.3). `{ x: [tokens, dim], memory: [others, dim] } → [tokens, dim]`. Where the record has a field `keys
 * [others, dim]`, keys are made of that instead; other fields are let go.
 *
 * Parameters under `attn`, as in PyTorch's `nn.MultiheadAttention`: `in_proj_weight [3·dim, dim]` (rows q, k, v),
 * `in_proj_bias [3·dim]`, `out_proj.weight [dim, dim]`, `out_proj.bias [dim]`.
 * The weights `[heads, tokens, others]` are the feature `<path>.weights`.
 * Errors: `expectsRecord`, `noSuchField`, `expectsTokens`, `memoryDiffers`, `keysDiffer`, `headsDoNotSplit`, `notAnAmount`.
 *
 * @example
 * pipe(inputs({ x: input(100, 256), memory: input(196, 256) }), crossAttention({ numHeads: 8 })) // Model<{ x: [100, 256], memory: [196, 256] }, [100, 256]>
 */
export const crossAttention = <const H extends number>(config: CrossAttentionConfig<H>): Layer<CrossAttention<H>> => {
  const { numHeads, bias = true, scale } = config
  return defineLayer<CrossAttention<H>, Attending, SignalShape>('crossAttention', crossAttention, [config], {
    config: { numHeads, bias, scale },
    scope: 'attn',
    accepts: 'record',
    check: shape =>
      firstOf(
        () => lacksFields('crossAttention', shape, ['x', 'memory']),
        () => attends(shape as Readonly<Record<'x' | 'memory', SignalShape>>),
        () => splitsIntoHeads((shape as Readonly<Record<'x', Shape>>).x, numHeads),
        () => amounts('crossAttention', scale === undefined ? {} : { scale }),
      ),
    parameters: shape => {
      const dim = (shape as Readonly<Record<'x', Shape>>).x[1] as number
      return {
        in_proj_weight: { shape: [3 * dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
        ...(bias ? { in_proj_bias: { shape: [3 * dim], initialiser: { kind: 'zeros' } } as const } : {}),
        'out_proj.weight': { shape: [dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
        ...(bias ? { 'out_proj.bias': { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
      }
    },
    forward: ({ x, memory, keys }, { parameters, path, offer }) => {
      const dim = x.shape[1] as number
      // The maps of queries, and of keys and values together.
      const weights = reshape(parameters['in_proj_weight']!, [3, dim, dim])
      const shifts = bias ? reshape(parameters['in_proj_bias']!, [3, dim]) : undefined
      const project = (t: Tensor, first: number, count: number): Tensor =>
        linear(t, reshape(slice(weights, [first, 0, 0], [count, dim, dim]), [count * dim, dim]), shifts === undefined ? undefined : reshape(slice(shifts, [first, 0], [count, dim]), [count * dim]))
      // Keys and values of one signal are one product.
      const both = keys === undefined ? project(memory, 1, 2) : undefined
      const half = (t: Tensor, begin: number): Tensor => slice(t, [0, begin], [memory.shape[0] as number, dim])
      const [q, k, v] = [project(x, 0, 1), both === undefined ? project(keys!, 1, 1) : half(both, 0), both === undefined ? project(memory, 2, 1) : half(both, dim)]
      const comparison = { numHeads, scale: scale ?? (dim / numHeads) ** -0.5 }
      offer(`${path}.weights`, () => attentionWeights(q, k, comparison))
      return linear(attention(q, k, v, comparison), parameters['out_proj.weight']!, parameters['out_proj.bias'])
    },
  })
}

/** What generators may give {@link crossAttention}. */
export const crossAttentionArguments: Arguments = [choice.options({ numHeads: choice.among(1, 2) }, { bias: choice.flag, scale: choice.among(0.25, 1) })]
/** The record that {@link crossAttention} takes. */
export const crossAttentionTakes: Takes = { x: ['n', 'c'], memory: ['m', 'c'] }

/** The signals of an attention. */
interface Attending {
  readonly [field: string]: Tensor
  readonly x: Tensor
  readonly memory: Tensor
  readonly keys?: Tensor
}

/** Whether signals are tokens of equal channels, and keys as many as the values. */
export const attends = ({ x, memory, keys }: Readonly<Record<'x' | 'memory', SignalShape> & { keys?: SignalShape }>): Problem | undefined =>
  firstOf(
    () => (keys === undefined || agree(keys, memory) ? undefined : misfit('keysDiffer', { memory: show(memory), shape: show(keys) })),
    () => tokens('crossAttention', memory as Shape),
    () => tokens('crossAttention', x as Shape),
    () => ((x as Shape)[1] === (memory as Shape)[1] ? undefined : misfit('memoryDiffers', { shape: show(x), memory: show(memory) })),
  )
