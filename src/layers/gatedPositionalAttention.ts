import { add, constant, linear, matmul, multiply, reshape, scalar, sigmoid, slice, softmax, subtract, transpose } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Multiply } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import type { Root } from '../shape/root.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type AnyShapeError, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { attentionDropout as dropWeights } from './attentionDropout.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerOf } from './core/inner.js'
import { defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { firstOf, grids, rates, sizes } from './core/preconditions.js'
import { dropout } from './dropout.js'
import { type SelfAttention, splitsIntoHeads, type SplitsIntoHeads } from './selfAttention.js'

/** Options of {@link gatedPositionalAttention}. */
export interface GatedPositionalAttentionConfig<H extends number, R extends number, W extends number> {
  readonly numHeads: H
  /** Rows and columns of patches; needed where they are no square. */
  readonly grid?: readonly [R, W]
  /** Whether the query, key and value projections have a bias (default false). */
  readonly qkvBias?: boolean
  /** How sharply heads look at their place at first (default 1); changes new weights only. */
  readonly localityStrength?: number
  /** Rate at which attention weights are dropped in training (default 0). */
  readonly attentionDropout?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/** The shape function of {@link gatedPositionalAttention}. */
export interface GatedPositionalAttention<H extends number, R extends number, W extends number> extends ShapeFunction {
  readonly out: Apply<SplitsIntoHeads<H>, this['in']> extends infer S ? (S extends AnyShapeError ? S : OnGrid<S, R, W>) : never
  readonly scope: 'attn'
  readonly path: string
  readonly inner: InnerOf<SelfAttention<H>, this['in'], this['path']>
}
/** R is 0 where no grid is given. */
type OnGrid<S, R extends number, W extends number> = S extends readonly [infer N extends number, infer C extends number]
  ? R extends 0
    ? [Root<N>] extends [never] ? NoSquareGrid<N, C> : S
    : Multiply<R, W> extends infer Places extends number ? (number extends Places | N ? S : Places extends N ? S : GridDoesNotHold<R, W, N, C>) : never
  : never
type NoSquareGrid<N extends number, C extends number> = Misfit<'noSquareGrid', { tokens: N; shape: Show<readonly [N, C]> }, 'gatedPositionalAttention', typeof squareRemedy>
type GridDoesNotHold<R extends number, W extends number, N extends number, C extends number> = Misfit<'gridDoesNotHold', { height: R; width: W; tokens: N; shape: Show<readonly [N, C]> }, 'gatedPositionalAttention'>
const squareRemedy = 'give the grid, or let the class token join after these blocks'

/**
 * Self-attention that can begin as a convolution (d'Ascoli et al., 2021, "ConViT", section 3): each head mixes
 * attention by content with attention by relative position, a learned gate between them. On patches only.
 * `[tokens, dim] → [tokens, dim]`. The weights `[heads, tokens, tokens]` and the offsets `[tokens, tokens, 3]`
 * are the features `<path>.weights` and `<path>.rel_indices`.
 *
 * Parameters under `attn`: `qk.weight [2·dim, dim]` (rows q, k, each head by head), `v.weight [dim, dim]`,
 * `proj.weight [dim, dim]`, `proj.bias [dim]`, `pos_proj.weight [heads, 3]`, `pos_proj.bias [heads]`,
 * `gating_param [heads]`; with `qkvBias`, `qk.bias` and `v.bias`.
 * Errors: `expectsTokens`, `headsDoNotSplit`, `noSquareGrid`, `gridDoesNotHold`, `notASize`, `notAGrid`, `notARate`.
 *
 * @example
 * pipe(input(196, 192), gatedPositionalAttention({ numHeads: 4 })) // Model<[196, 192], [196, 192]>
 */
export const gatedPositionalAttention = <const H extends number, const R extends number = 0, const W extends number = 0>(
  config: GatedPositionalAttentionConfig<H, R, W>,
): Layer<GatedPositionalAttention<H, R, W>> => {
  const { numHeads, grid, qkvBias = false, localityStrength = 1, attentionDropout = 0, projDropout = 0 } = config
  return defineLayer('gatedPositionalAttention', gatedPositionalAttention, [config], {
    config: { numHeads, grid, qkvBias, localityStrength, attentionDropout, projDropout },
    scope: 'attn',
    check: shape =>
      firstOf(
        () => splitsIntoHeads(shape, numHeads),
        () => (grid === undefined ? squareGrid(shape) : gridHolds(shape, grid)),
        () => rates('gatedPositionalAttention', { attentionDropout, projDropout }),
      ),
    parameters: shape => parametersOf(shape[1] as number, numHeads, qkvBias, localityStrength),
    traits: { order: 'positional', inert: { 'pos_proj.bias': 'a softmax takes out what is the same for all keys' } },
    forward: (x, { parameters, apply, record, path, mode }) => {
      const [count, dim] = x.shape as readonly [number, number]
      const headDim = dim / numHeads
      const heads = (t: Tensor): Tensor => transpose(reshape(t, [count, numHeads, headDim]), [1, 0, 2])
      const qk = linear(x, parameters['qk.weight']!, parameters['qk.bias'])
      const [q, k] = [slice(qk, [0, 0], [count, dim]), slice(qk, [0, dim], [count, dim])]
      const v = linear(x, parameters['v.weight']!, parameters['v.bias'])
      const byContent = softmax(matmul(heads(multiply(q, scalar(headDim ** -0.5))), heads(k), { transposeB: true }))
      const offsets = record(`${path}.rel_indices`, relativeOffsets(...(grid ?? square(count)))) as Tensor
      const byPosition = softmax(transpose(linear(offsets, parameters['pos_proj.weight']!, parameters['pos_proj.bias']), [2, 0, 1]))
      const gate = reshape(sigmoid(parameters['gating_param']!), [numHeads, 1, 1])
      // Both rows sum to 1, and so does their mixture: the reference's division by the sum changes nothing.
      const mixed = record(`${path}.weights`, add(multiply(byContent, subtract(scalar(1), gate)), multiply(byPosition, gate))) as Tensor
      const weights = mode === 'training' && attentionDropout > 0 ? (apply(dropWeights(attentionDropout), mixed) as Tensor) : mixed
      const attended = reshape(transpose(matmul(weights, heads(v)), [1, 0, 2]), [count, dim])
      const projected = linear(attended, parameters['proj.weight']!, parameters['proj.bias'])
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link gatedPositionalAttention}. */
export const gatedPositionalAttentionArguments: Arguments = [choice.options({ numHeads: choice.divisorOf('channels') }, { grid: choice.factorsOf('tokens'), qkvBias: choice.flag, localityStrength: choice.among(0.5, 2), attentionDropout: choice.rate, projDropout: choice.rate })]

const square = (count: number): readonly [number, number] => [Math.sqrt(count), Math.sqrt(count)]

const squareGrid = (shape: Shape): Problem | undefined =>
  Number.isInteger(Math.sqrt(shape[0] as number)) ? undefined : misfit('noSquareGrid', { tokens: shape[0] as number, shape: show(shape) }, { remedy: squareRemedy })

const gridHolds = (shape: Shape, grid: readonly [number, number]): Problem | undefined =>
  firstOf(
    () => grids('gatedPositionalAttention', { grid }),
    () => sizes('gatedPositionalAttention', { 'grid height': grid[0], 'grid width': grid[1] }),
    () => (grid[0] * grid[1] === shape[0] ? undefined : misfit('gridDoesNotHold', { height: grid[0], width: grid[1], tokens: shape[0] as number, shape: show(shape) })),
  )

const normal = { kind: 'truncatedNormal', std: 0.02 } as const
const zeros = { kind: 'zeros' } as const

const parametersOf = (dim: number, numHeads: number, qkvBias: boolean, strength: number): Readonly<Record<string, ParameterDeclaration>> => ({
  'qk.weight': { shape: [2 * dim, dim], initialiser: normal },
  ...(qkvBias ? { 'qk.bias': { shape: [2 * dim], initialiser: zeros } } : {}),
  // The start is a convolution: values as they are, each head at its own place.
  'v.weight': { shape: [dim, dim], initialiser: { kind: 'identity' } },
  ...(qkvBias ? { 'v.bias': { shape: [dim], initialiser: zeros } } : {}),
  'proj.weight': { shape: [dim, dim], initialiser: normal },
  'proj.bias': { shape: [dim], initialiser: zeros },
  'pos_proj.weight': { shape: [numHeads, 3], initialiser: { kind: 'localAttention', strength } },
  'pos_proj.bias': { shape: [numHeads], initialiser: zeros },
  gating_param: { shape: [numHeads], initialiser: { kind: 'ones' } },
})

/** `(dx, dy, dx² + dy²)` from every place of a grid to every place, row by row, in places. → `[places, places, 3]` */
const relativeOffsets = (rows: number, columns: number): Tensor => {
  const places = rows * columns
  const offsets = new Float32Array(places * places * 3)
  for (let from = 0; from < places; from++)
    for (let to = 0; to < places; to++) {
      const [dx, dy] = [(to % columns) - (from % columns), Math.floor(to / columns) - Math.floor(from / columns)]
      offsets.set([dx, dy, dx * dx + dy * dy], 3 * (from * places + to))
    }
  return constant(offsets, [places, places, 3])
}
