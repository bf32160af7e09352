import { attention, linear, reshape, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { agree, type Agree } from '../shape/agree.js'
import type { Multiply } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { isShape, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { attentionWeights } from './core/attentionWeights.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { amounts, firstOf, oneOf, tokens } from './core/preconditions.js'
import { splitsIntoHeads, type SplitsIntoHeads } from './selfAttention.js'

/** Options of {@link crossAttention}. */
export interface CrossAttentionConfig<H extends number> {
  readonly numHeads: H
  /** Whether the four projections have biases (default true). */
  readonly bias?: boolean
  /** What scores are multiplied by (default `1/√(dim/numHeads)`). */
  readonly scale?: number
  /**
   * What its parameters are called: as in PyTorch's `nn.MultiheadAttention` (default `torch`), or `proj` beside `q` and `kv`,
   * as in PVT and Twins, or beside `q`, `k` and `v`, as in CaiT and XCiT.
   */
  readonly naming?: CrossAttentionNaming
}
/** The parameters that hold the maps of queries, keys and values. */
export type CrossAttentionNaming = 'torch' | 'q,kv' | 'q,k,v'

/** The shape function of {@link crossAttention}. */
export interface CrossAttention<H extends number> extends ShapeFunction {
  readonly scope: 'attn'
  readonly out: IfFields<this['in'], 'crossAttention', readonly ['x', 'memory'], Attended<AsTokens<this['in']>, H> extends infer O ? (O extends AnyShapeError ? O : this['in']['x' & keyof this['in']]) : never>
  readonly path: string
  readonly inner: this['path'] extends 'weights' ? WeightsOf<H, AsTokens<this['in']>> : never
}
/** Tokens that attend to tokens, where maps would not do. */
export interface TokensAttend<H extends number> extends ShapeFunction {
  readonly out: IfFields<this['in'], 'crossAttention', readonly ['x', 'memory'], Attended<this['in'], H>>
}
/** Each map as its places. */
type AsTokens<S> = { readonly [K in keyof S]: S[K] extends readonly [infer H extends number, infer W extends number, infer C extends number] ? readonly [Multiply<H, W>, C] : S[K] }
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
 * [others, dim]`, keys are made of that instead; other fields are let go. Places of a map count as its tokens, row by row,
 * in each of them: `{ x: [height, width, dim], memory: [rows, columns, dim] } → [height, width, dim]`.
 *
 * Parameters under `attn`, as in PyTorch's `nn.MultiheadAttention`: `in_proj_weight [3·dim, dim]` (rows q, k, v),
 * `in_proj_bias [3·dim]`, `out_proj.weight [dim, dim]`, `out_proj.bias [dim]`.
 * With another `naming`, `q`, `kv` or `k` and `v`, and `proj` are linear maps, each with `weight` and `bias`.
 * The weights `[heads, tokens, others]` are the feature `<path>.weights`.
 * Errors: `expectsRecord`, `noSuchField`, `expectsTokens`, `memoryDiffers`, `keysDiffer`, `headsDoNotSplit`, `notAnAmount`, `unknownOption`.
 *
 * @example
 * pipe(inputs({ x: input(100, 256), memory: input(196, 256) }), crossAttention({ numHeads: 8 })) // Model<{ x: [100, 256], memory: [196, 256] }, [100, 256]>
 */
export const crossAttention = <const H extends number>(config: CrossAttentionConfig<H>): Layer<CrossAttention<H>> => {
  const { numHeads, bias = true, scale, naming = 'torch' } = config
  const { held, out } = namings[naming] ?? namings.torch
  return defineLayer<CrossAttention<H>, Attending, SignalShape>('crossAttention', crossAttention, [config], {
    config: { numHeads, bias, scale, naming },
    scope: 'attn',
    accepts: 'record',
    ...(bias && naming === 'q,k,v' ? { traits: { inert: { 'k.bias': 'a softmax takes out what is the same for all keys' } } } : {}),
    check: shape =>
      firstOf(
        () => lacksFields('crossAttention', shape, ['x', 'memory']),
        () => attends(asTokens(shape as Given)),
        () => splitsIntoHeads(asTokens(shape as Given).x as Shape, numHeads),
        () => amounts('crossAttention', scale === undefined ? {} : { scale }),
        () => oneOf('crossAttention', 'naming', naming, Object.keys(namings)),
      ),
    parameters: shape => {
      const dim = (shape as Readonly<Record<'x', Shape>>).x.at(-1) as number
      const map = ([weight, shift]: Names, rows: number): readonly (readonly [string, ParameterDeclaration])[] => [
        [weight, { shape: [rows, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } }],
        ...(bias ? [[shift, { shape: [rows], initialiser: { kind: 'zeros' } }] as const] : []),
      ]
      return Object.fromEntries([...held.flatMap(({ names, count }) => map(names, count * dim)), ...map(out, dim)])
    },
    forward: (record, { parameters, path, offer }) => {
      const flat = (t: Tensor): Tensor => (t.shape.length === 3 ? reshape(t, [t.shape[0]! * t.shape[1]!, t.shape[2]!]) : t)
      const [x, memory, keys] = [flat(record.x), flat(record.memory), record.keys === undefined ? undefined : flat(record.keys)]
      const dim = x.shape[1] as number
      const stacks = held.map(each => ({ each, weights: reshape(parameters[each.names[0]]!, [each.count, dim, dim]), shifts: bias ? reshape(parameters[each.names[1]]!, [each.count, dim]) : undefined }))
      const project = (t: Tensor, begin: number, count: number): Tensor => {
        const { each: { first }, weights, shifts } = stacks.find(({ each }) => holds(each, begin, count))!
        return linear(t, reshape(slice(weights, [begin - first, 0, 0], [count, dim, dim]), [count * dim, dim]), shifts === undefined ? undefined : reshape(slice(shifts, [begin - first, 0], [count, dim]), [count * dim]))
      }
      // Keys and values of one signal are one product, where one parameter holds both.
      const both = keys === undefined && held.some(each => holds(each, 1, 2)) ? project(memory, 1, 2) : undefined
      const half = (t: Tensor, begin: number): Tensor => slice(t, [0, begin], [memory.shape[0] as number, dim])
      const [q, k, v] = [project(x, 0, 1), both === undefined ? project(keys ?? memory, 1, 1) : half(both, 0), both === undefined ? project(memory, 2, 1) : half(both, dim)]
      const comparison = { numHeads, scale: scale ?? (dim / numHeads) ** -0.5 }
      offer(`${path}.weights`, () => attentionWeights(q, k, comparison))
      const attended = linear(attention(q, k, v, comparison), parameters[out[0]]!, parameters[out[1]])
      return record.x.shape.length === 3 ? reshape(attended, record.x.shape) : attended
    },
  })
}

/** What generators may give {@link crossAttention}. */
export const crossAttentionArguments: Arguments = [choice.options({ numHeads: choice.among(1, 2) }, { bias: choice.flag, scale: choice.among(0.25, 1), naming: choice.among('torch', 'q,kv', 'q,k,v') })]
/** The record that {@link crossAttention} takes. */
export const crossAttentionTakes: Takes = { x: ['n', 'c'], memory: ['m', 'c'] }

type Names = readonly [weight: string, bias: string]
/** A parameter that holds some of three maps, of queries (0), keys (1) and values (2), one after the other. */
interface Held {
  readonly names: Names
  readonly first: number
  readonly count: number
}
const holds = ({ first, count }: Held, begin: number, several: number): boolean => first <= begin && begin + several <= first + count

const linearNames = (name: string): Names => [`${name}.weight`, `${name}.bias`]
const namings: Readonly<Record<CrossAttentionNaming, { readonly held: readonly Held[]; readonly out: Names }>> = {
  torch: { held: [{ names: ['in_proj_weight', 'in_proj_bias'], first: 0, count: 3 }], out: linearNames('out_proj') },
  'q,kv': { held: [{ names: linearNames('q'), first: 0, count: 1 }, { names: linearNames('kv'), first: 1, count: 2 }], out: linearNames('proj') },
  'q,k,v': { held: ['q', 'k', 'v'].map((name, first) => ({ names: linearNames(name), first, count: 1 })), out: linearNames('proj') },
}

/** The signals of an attention. */
interface Attending {
  readonly [field: string]: Tensor
  readonly x: Tensor
  readonly memory: Tensor
  readonly keys?: Tensor
}

type Given = Readonly<Record<'x' | 'memory', SignalShape> & { keys?: SignalShape }>
/** Each map as its places. */
const asTokens = (shape: Given): Given => Object.fromEntries(Object.entries(shape).map(([name, s]) => [name, isShape(s) && s.length === 3 ? [s[0]! * s[1]!, s[2]!] : s])) as unknown as Given

/** Whether signals are tokens of equal channels, and keys as many as the values. */
export const attends = ({ x, memory, keys }: Given): Problem | undefined =>
  firstOf(
    () => (keys === undefined || agree(keys, memory) ? undefined : misfit('keysDiffer', { memory: show(memory), shape: show(keys) })),
    () => tokens('crossAttention', memory as Shape),
    () => tokens('crossAttention', x as Shape),
    () => ((x as Shape)[1] === (memory as Shape)[1] ? undefined : misfit('memoryDiffers', { shape: show(x), memory: show(memory) })),
  )
