import { attention, constant, conv2d, linear, relu, reshape, slice, transpose } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { DivMod } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { attentionDropout as dropWeights } from './attentionDropout.js'
import { attentionWeights, weighted } from './core/attentionWeights.js'
import { type Arguments, choice } from './core/choice.js'
import { type Context, defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { firstOf, image, oneOf, rates, sizes } from './core/preconditions.js'
import { relativePositionBias, relativePositionCount, relativePositionIndex, relativePositions } from './core/relativePositionIndex.js'
import { dropout } from './dropout.js'

/**
 * What is added to the score of two places, by how far they lie apart:
 * - `table`: a learned number for each distance and head (Liu et al., 2021, "Swin", section 3.2);
 * - `mlp`: what a small network makes of the logarithms of the distances (Liu et al., 2022, "Swin V2", section 3.3);
 * - `grid`: a table as Google's MaxViT stores it, head by head, for key minus query;
 * - `none`: nothing.
 */
export type RelativePositionKind = 'table' | 'mlp' | 'grid' | 'none'

/** The names a `positions` option may have. */
export const relativePositionKinds = ['table', 'mlp', 'grid', 'none'] as const satisfies readonly RelativePositionKind[]

/** Options of {@link relativeAttention2d}. */
export interface RelativeAttention2dConfig<D extends number, HD extends number, E extends boolean> {
  /** Channels out; as many as in unless given. */
  readonly dim?: D
  /** Channels of a head (default 32). */
  readonly headDim?: HD
  /** Whether attention itself has `dim` channels (default true), or those that arrive. */
  readonly expandFirst?: E
  /** Whether both projections have biases (default true). */
  readonly bias?: boolean
  /** Default `table`. */
  readonly positions?: RelativePositionKind
  /** Hidden channels of the network of `mlp` positions (default 512). */
  readonly positionDim?: number
  /** Rate at which attention weights are dropped in training (default 0). */
  readonly attentionDropout?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/** `Then` where attention's channels split into heads, else the sentence. */
export type IfHeads<S extends Shape, A extends number, HD extends number, Then> =
  DivMod<A, HD> extends readonly [number, infer R] ? (number extends R ? Then : R extends 0 ? Then : HeadDimMisfit<A, HD, S>) : never
type HeadDimMisfit<A extends number, HD extends number, S extends Shape> = Misfit<'headDimDoesNotSplit', { channels: A; headDim: HD; shape: Show<S> }, 'attention'>

/** The run-time twin of {@link IfHeads}. */
export const splitsIntoHeadsOf = (channels: number, headDim: number, shape: Shape): Problem | undefined =>
  channels % headDim === 0 ? undefined : misfit('headDimDoesNotSplit', { channels, headDim, shape: show(shape) })

/** The shape function of {@link relativeAttention2d}. `D` is `never` where channels are kept. */
export interface RelativeAttention2d<D extends number, HD extends number, E extends boolean> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? Attended<readonly [H, W, C], H, W, C, [D] extends [never] ? C : D, HD, E>
    : Expects<'expectsImage', 'attention', this['in']>
}
type Attended<S extends Shape, H extends number, W extends number, C extends number, D extends number, HD extends number, E extends boolean> = IfHeads<S, [E] extends [true] ? D : [E] extends [false] ? C : number, HD, readonly [H, W, D]>

/**
 * Self-attention between all places of a map, with relative positions (Dai et al., 2021, "CoAtNet", section 2.1).
 * Its window is the whole map, so its weights fit one size of map. `[height, width, channels] → [height, width, dim]`.
 *
 * Parameters under `attn`: `qkv.weight [3·inner, channels, 1, 1]` (rows by head, in each q, k, v), `qkv.bias`,
 * `proj.weight [dim, inner, 1, 1]`, `proj.bias`; under `rel_pos`, with `table`,
 * `relative_position_bias_table [(2·height − 1)·(2·width − 1), heads]`, with `grid` the same as
 * `[heads, 2·height − 1, 2·width − 1]`, with `mlp`, `mlp.fc1` and `mlp.fc2`. timm drops hidden channels of that
 * network in training, which has no counterpart here. Errors: `expectsImage`, `headDimDoesNotSplit`, `notASize`, `notARate`, `unknownOption`.
 *
 * @example
 * pipe(input(14, 14, 384), relativeAttention2d({ headDim: 32 })) // Model<[14, 14, 384], [14, 14, 384]>
 */
export const relativeAttention2d = <const D extends number = never, const HD extends number = 32, const E extends boolean = true>(config: RelativeAttention2dConfig<D, HD, E> = {}): Layer<RelativeAttention2d<D, HD, E>> => {
  const { dim, headDim = 32, expandFirst = true, bias = true, positions = 'table', positionDim = 512, attentionDropout = 0, projDropout = 0 } = config
  const outOf = (shape: Shape): number => dim ?? (shape[2] as number)
  const innerOf = (shape: Shape): number => (expandFirst ? outOf(shape) : (shape[2] as number))
  return defineLayer('relativeAttention2d', relativeAttention2d, [config], {
    label: 'attention',
    config: { dim, headDim, expandFirst, bias, positions, positionDim, attentionDropout, projDropout },
    scope: 'attn',
    check: shape =>
      firstOf(
        () => sizes('attention', { headDim, positionDim, ...(dim === undefined ? {} : { dim }) }),
        () => oneOf('attention', 'positions', positions, relativePositionKinds),
        () => rates('attention', { attentionDropout, projDropout }),
        () => image('attention', shape),
        () => splitsIntoHeadsOf(innerOf(shape), headDim, shape),
      ),
    parameters: shape => {
      const [inner, numHeads] = [innerOf(shape), innerOf(shape) / headDim]
      return { ...projection('qkv', 3 * inner, shape[2] as number, bias), ...positionParameters(positions, shape, numHeads, positionDim), ...projection('proj', outOf(shape), inner, bias) }
    },
    traits: { order: positions === 'none' ? 'equivariant' : 'positional', ...(positions === 'mlp' ? { inert: { 'rel_pos.mlp.fc2.bias': 'a softmax takes out what is the same for all keys' } } : {}) },
    forward: (x, { parameters, mode, path, apply, offer }) => {
      const [height, width, channels] = x.shape as readonly [number, number, number]
      const [places, inner] = [height * width, innerOf(x.shape)]
      const numHeads = inner / headDim
      // The rows are put in the order q, k, v once, when weights load, so that each is one slice of channels.
      const byPart = (t: Tensor, rest: Shape): Tensor => reshape(transpose(reshape(t, [numHeads, 3, headDim, ...rest]), [1, 0, 2, ...rest.map((_, i) => 3 + i)]), [3 * inner, ...rest])
      const qkv = reshape(conv2d(x, byPart(parameters['qkv.weight']!, [channels, 1, 1]), bias ? byPart(parameters['qkv.bias']!, []) : undefined, pointwise), [places, 3 * inner])
      const [q, k, v] = [0, 1, 2].map(i => slice(qkv, [0, i * inner], [places, inner])) as unknown as readonly [Tensor, Tensor, Tensor]
      const [comparison, shift] = [{ numHeads, scale: headDim ** -0.5 }, positionBias(positions, height, width, numHeads, parameters)]
      const weights = offer(`${path}.weights`, () => attentionWeights(q, k, comparison, shift))
      const attended = mode === 'training' && attentionDropout > 0 ? weighted(apply(dropWeights(attentionDropout), weights()) as Tensor, v) : attention(q, k, v, comparison, shift)
      const projected = conv2d(reshape(attended, [height, width, inner]), parameters['proj.weight']!, parameters['proj.bias'], pointwise)
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link relativeAttention2d}. */
export const relativeAttention2dArguments: Arguments = [choice.options({}, { dim: choice.size, headDim: choice.divisorOf('channels'), expandFirst: choice.flag, bias: choice.flag, positions: choice.among(...relativePositionKinds), positionDim: choice.whole(1, 5), attentionDropout: choice.rate, projDropout: choice.rate })]

const pointwise = { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 } as const

type Declarations = Readonly<Record<string, ParameterDeclaration>>

const projection = (name: string, out: number, channels: number, bias: boolean): Declarations => ({
  [`${name}.weight`]: { shape: [out, channels, 1, 1], initialiser: { kind: 'xavierUniform' } },
  ...(bias ? { [`${name}.bias`]: { shape: [out], initialiser: { kind: 'zeros' } } as const } : {}),
})

const positionParameters = (kind: RelativePositionKind, [height, width]: Shape, numHeads: number, hidden: number): Declarations => {
  const [rows, columns] = [2 * (height as number) - 1, 2 * (width as number) - 1]
  const initialiser = { kind: 'truncatedNormal', std: 0.02 } as const
  if (kind === 'table') return { 'rel_pos.relative_position_bias_table': { shape: [rows * columns, numHeads], initialiser } }
  if (kind === 'grid') return { 'rel_pos.relative_position_bias_table': { shape: [numHeads, rows, columns], initialiser } }
  if (kind === 'none') return {}
  return {
    'rel_pos.mlp.fc1.weight': { shape: [hidden, 2], initialiser: { kind: 'xavierUniform' } },
    'rel_pos.mlp.fc1.bias': { shape: [hidden], initialiser: { kind: 'zeros' } },
    'rel_pos.mlp.fc2.weight': { shape: [numHeads, hidden], initialiser: { kind: 'xavierUniform' } },
    'rel_pos.mlp.fc2.bias': { shape: [numHeads], initialiser: { kind: 'zeros' } },
  }
}

/** The bias `[heads, places, places]`; it depends on weights alone. */
const positionBias = (kind: RelativePositionKind, height: number, width: number, numHeads: number, parameters: Context['parameters']): Tensor | undefined => {
  const of = (name: string): Tensor => parameters[`rel_pos.${name}`]!
  const count = relativePositionCount(height, width)
  if (kind === 'none') return undefined
  if (kind === 'table') return relativePositionBias(of('relative_position_bias_table'), relativePositions(height, width))
  if (kind === 'mlp') {
    const hidden = relu(linear(constant(logDistances(height, width), [count, 2]), of('mlp.fc1.weight'), of('mlp.fc1.bias')))
    return relativePositionBias(linear(hidden, of('mlp.fc2.weight'), of('mlp.fc2.bias')), relativePositions(height, width))
  }
  // Key minus query is where query minus key stands when counted from the other end.
  const index = constant(relativePositionIndex(height, width).map(i => count - 1 - i), [height * width, height * width])
  return relativePositionBias(transpose(reshape(of('relative_position_bias_table'), [numHeads, count]), [1, 0]), index)
}

/** For each distance `(dy, dx)` of a map, `sign · ln(1 + |distance|)` of both (Liu et al., 2022, equation 4, as timm's `cr`). */
const logDistances = (height: number, width: number): Float32Array => {
  const logs = (size: number): readonly number[] => Array.from({ length: 2 * size - 1 }, (_, i) => Math.sign(i - size + 1) * Math.log(1 + Math.abs(i - size + 1)))
  return Float32Array.from(logs(height).flatMap(dy => logs(width).flatMap(dx => [dy, dx])))
}
