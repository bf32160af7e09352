import { add, attention, constant, gather, linear, matmul, multiply, reshape, scalar, slice, softmax, transpose } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { attentionDropout as dropWeights } from './attentionDropout.js'
import { type Arguments, choice } from './core/choice.js'
import { type Context, defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { amounts, firstOf, oneOf, rates, sizes, tokens } from './core/preconditions.js'
import { dropout } from './dropout.js'

/** Options of {@link relativeTokenAttention}. */
export interface RelativeTokenAttentionConfig<H extends number> {
  readonly numHeads: H
  /** Channels of a head (default 64). Heads together need not have as many channels as arrive. */
  readonly headDim?: number
  /** Whether the query, key and value projections have a bias (default true). */
  readonly qkvBias?: boolean
  /**
   * Which rows of the projection make queries, keys and values: every third (`interleaved`, the default), so that the
   * first rows of a large one are a small one; or a third each (`blocks`). Biases are always a third each.
   */
  readonly packing?: 'interleaved' | 'blocks'
  /** What is learned of how far tokens are apart: `relative` (default), or `none`. */
  readonly positions?: 'relative' | 'none'
  /** Distances beyond this one, in either direction, count as this one (default 14). */
  readonly maxDistance?: number
  /** Patches in a row of the grid; by default the whole part of the root of their number. */
  readonly columns?: number
  /** What scores are multiplied by (default `1/√headDim`). */
  readonly scale?: number
  /** What the values that heads have mixed are multiplied by, before they are projected (default 1). */
  readonly gain?: number
  /** Rate at which attention weights are dropped in training (default 0). */
  readonly attentionDropout?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/** The shape function of {@link relativeTokenAttention}; its weights are known inside. */
export interface RelativeTokenAttention<H extends number> extends ShapeFunction {
  readonly scope: 'attn'
  readonly path: string
  readonly inner: this['path'] extends 'weights' ? WeightsOf<H, this['in']> : never
  readonly out: this['in'] extends readonly [number, number] ? this['in'] : Expects<'expectsTokens', 'attention', this['in']>
}
type WeightsOf<H extends number, S> = S extends readonly [infer N extends number, number] ? readonly [H, N, N] : never

/**
 * AutoFormer's attention (Chen et al., 2021, section 3; the relative positions are those of Wu et al., 2021, "iRPE",
 * shared by all heads): heads of a fixed size, whatever the number of channels, and for each distance between two
 * patches, by rows and by columns, a learned vector that is added to keys, and another that is added to values. The first
 * token is the class token, of no place. `[tokens, dim] → [tokens, dim]`.
 *
 * Parameters under `attn`, with `inner = numHeads·headDim`: `qkv.weight [3·inner, dim]`, `qkv.bias [3·inner]`;
 * for keys `rel_pos_embed_k.embeddings_table_v` (by rows) and `rel_pos_embed_k.embeddings_table_h` (by columns), for values
 * `rel_pos_embed_v.embeddings_table_v` and `rel_pos_embed_v.embeddings_table_h`, each `[2·maxDistance + 2, headDim]`, row 0
 * for the class token; `proj.weight [dim, inner]`, `proj.bias [dim]`. The weights `[heads, tokens, tokens]` are the feature
 * `<path>.weights`. Errors: `expectsTokens`, `notASize`, `notAnAmount`, `notARate`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 216), relativeTokenAttention({ numHeads: 3 })) // Model<[197, 216], [197, 216]>
 */
export const relativeTokenAttention = <const H extends number>(config: RelativeTokenAttentionConfig<H>): Layer<RelativeTokenAttention<H>> => {
  const { numHeads, headDim = 64, qkvBias = true, packing = 'interleaved', positions = 'relative', maxDistance = 14, columns, scale, gain = 1, attentionDropout = 0, projDropout = 0 } = config
  const inner = numHeads * headDim
  return defineLayer('relativeTokenAttention', relativeTokenAttention, [config], {
    label: 'attention',
    config: { numHeads, headDim, qkvBias, packing, positions, maxDistance, columns, scale, gain, attentionDropout, projDropout },
    scope: 'attn',
    check: shape =>
      firstOf(
        () => sizes('attention', { numHeads, headDim, maxDistance, ...(columns === undefined ? {} : { columns }) }),
        () => oneOf('attention', 'packing', packing, ['interleaved', 'blocks']),
        () => oneOf('attention', 'positions', positions, ['relative', 'none']),
        () => amounts('attention', { gain, ...(scale === undefined ? {} : { scale }) }),
        () => rates('attention', { attentionDropout, projDropout }),
        () => tokens('attention', shape),
      ),
    parameters: shape => ({
      ...projection('qkv', 3 * inner, shape[1] as number, qkvBias),
      ...(positions === 'none' ? {} : Object.fromEntries(tableNames.map(name => [name, { shape: [2 * maxDistance + 2, headDim], initialiser: { kind: 'truncatedNormal', std: 0.02 } } as const]))),
      ...projection('proj', shape[1] as number, inner, true),
    }),
    traits: { order: positions === 'none' ? 'equivariant' : 'positional' },
    forward: (x, context) => {
      const { parameters, apply } = context
      const count = x.shape[0] as number
      const weight = parameters['qkv.weight']!
      const rows = packing === 'blocks' ? weight : reshape(transpose(reshape(weight, [inner, 3, x.shape[1] as number]), [1, 0, 2]), weight.shape)
      const qkv = linear(x, rows, parameters['qkv.bias'])
      const [q, k, v] = [0, 1, 2].map(i => slice(qkv, [0, i * inner], [count, inner])) as unknown as readonly [Tensor, Tensor, Tensor]
      const vectors = positions === 'none' ? undefined : byDistance(count, columns, maxDistance, parameters)
      const attended = mixed(q, k, v, { numHeads, scale: scale ?? headDim ** -0.5, vectors, rate: attentionDropout }, context)
      const projected = linear(gain === 1 ? attended : multiply(attended, scalar(gain)), parameters['proj.weight']!, parameters['proj.bias'])
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link relativeTokenAttention}. */
export const relativeTokenAttentionArguments: Arguments = [choice.options({ numHeads: choice.whole(1, 3) }, { headDim: choice.whole(1, 4), qkvBias: choice.flag, packing: choice.among('interleaved', 'blocks'), positions: choice.among('relative', 'none'), maxDistance: choice.whole(1, 3), columns: choice.whole(1, 3), scale: choice.among(0.25, 1), gain: choice.among(1, 2), attentionDropout: choice.rate, projDropout: choice.rate })]

const tableNames = ['rel_pos_embed_k.embeddings_table_v', 'rel_pos_embed_k.embeddings_table_h', 'rel_pos_embed_v.embeddings_table_v', 'rel_pos_embed_v.embeddings_table_h'] as const

const projection = (name: string, out: number, channels: number, bias: boolean): Readonly<Record<string, ParameterDeclaration>> => ({
  [`${name}.weight`]: { shape: [out, channels], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(bias ? { [`${name}.bias`]: { shape: [out], initialiser: { kind: 'zeros' } } as const } : {}),
})

/** What is added to keys and to values, for each query and key: `[tokens, tokens, headDim]`. It depends on weights alone. */
interface Vectors {
  readonly keys: Tensor
  readonly values: Tensor
}

const byDistance = (count: number, columns: number | undefined, most: number, parameters: Context['parameters']): Vectors => {
  const across = columns ?? Math.max(1, Math.floor(Math.sqrt(count - 1)))
  const [down, over] = [distances(count, most, patch => Math.floor(patch / across)), distances(count, most, patch => patch % across)]
  const of = (table: 'k' | 'v'): Tensor => add(gather(parameters[`rel_pos_embed_${table}.embeddings_table_v`]!, down), gather(parameters[`rel_pos_embed_${table}.embeddings_table_h`]!, over))
  return { keys: of('k'), values: of('v') }
}

/** For each query and key, key minus query along one direction, counted from 1; 0 where one of them is the class token. */
const distances = (count: number, most: number, place: (patch: number) => number): Tensor => {
  const index = (query: number, key: number): number => (query === 0 || key === 0 ? 0 : Math.max(-most, Math.min(most, place(key - 1) - place(query - 1))) + most + 1)
  return constant(Int32Array.from({ length: count * count }, (_, i) => index(Math.floor(i / count), i % count)), [count, count])
}

interface Mixing {
  readonly numHeads: number
  readonly scale: number
  readonly vectors: Vectors | undefined
  readonly rate: number
}

/** `softmax(q·(k + r_k)ᵀ) (v + r_v)`, head by head, in four products: the vectors differ from query to query. */
const mixed = (q: Tensor, k: Tensor, v: Tensor, { numHeads, scale, vectors, rate }: Mixing, { apply, mode, path, record }: Context): Tensor => {
  const [count, inner] = q.shape as readonly [number, number]
  const byHead = (t: Tensor): Tensor => reshape(t, [count, numHeads, inner / numHeads])
  const heads = (t: Tensor): Tensor => transpose(byHead(t), [1, 0, 2])
  const byContent = matmul(heads(q), heads(k), { transposeB: true })
  const products = vectors === undefined ? byContent : add(byContent, transpose(matmul(byHead(q), vectors.keys, { transposeB: true }), [1, 0, 2]))
  const all = record(`${path}.weights`, softmax(multiply(products, scalar(scale)))) as Tensor
  if (vectors === undefined && (mode === 'inference' || rate === 0)) return attention(q, k, v, { numHeads, scale })
  const weights = apply(dropWeights(rate), all) as Tensor
  const content = transpose(matmul(weights, heads(v)), [1, 0, 2])
  const both = vectors === undefined ? content : add(content, matmul(transpose(weights, [1, 0, 2]), vectors.values))
  return reshape(both, [count, inner])
}
