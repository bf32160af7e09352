import { add, attention, constant, linear, matmul, multiply, reshape, scalar, slice, softmax, transpose } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { DivMod } from '../shape/natural.js'
import { problem, type Problem } from '../shape/problem.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { attentionDropout as dropWeights } from './attentionDropout.js'
import { type Arguments, choice } from './core/choice.js'
import { type Context, defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { policySoftmax } from './core/policySoftmax.js'
import { amounts, firstOf, rates, sizes, tokens } from './core/preconditions.js'
import { Refusal } from './core/refuse.js'
import { dropout } from './dropout.js'
import { layerNorm } from './layerNorm.js'

/** Options of {@link selfAttention}. */
export interface SelfAttentionConfig<H extends number> {
  readonly numHeads: H
  /** Whether the query, key and value projections have a bias (default true). */
  readonly qkvBias?: boolean
  /** Whether the output projection has a bias (default true). */
  readonly projBias?: boolean
  /** Whether each head's queries and keys are layer-normalised (Henry et al., 2020; default false). */
  readonly qkNorm?: boolean
  /** The epsilon of those norms (default 1e-6). */
  readonly epsilon?: number
  /** What scores are multiplied by (default `1/√(dim/numHeads)`). */
  readonly scale?: number
  /** Rate at which attention weights are dropped in training (default 0). */
  readonly attentionDropout?: number
  /** Rate at which outputs are dropped in training (default 0). */
  readonly projDropout?: number
}

/** `false` where channels are known not to split into heads. */
type HasHeads<C extends number, H extends number> = DivMod<C, H> extends readonly [number, infer R] ? (number extends R ? boolean : R extends 0 ? true : false) : never
type HeadsDoNotSplit<N extends number, C extends number, H extends number> = Misfit<'headsDoNotSplit', { channels: C; numHeads: H; shape: Show<readonly [N, C]> }, 'attention'>

/** Tokens whose channels split into `H` heads. */
export interface SplitsIntoHeads<H extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? HasHeads<C, H> extends false ? HeadsDoNotSplit<N, C, H> : this['in']
    : Expects<'expectsTokens', 'attention', this['in']>
}

/** The run-time twin of {@link SplitsIntoHeads}. */
export const splitsIntoHeads = (shape: Shape, numHeads: number): Problem | undefined =>
  firstOf(
    () => sizes('attention', { numHeads }),
    () => tokens('attention', shape),
    () => ((shape[1] as number) % numHeads === 0 ? undefined : misfit('headsDoNotSplit', { channels: shape[1] as number, numHeads, shape: show(shape) }, { remedy: `head counts that fit: ${divisors(shape[1] as number).join(', ')}` })),
  )
const divisors = (n: number): readonly number[] => Array.from({ length: Math.min(n, 64) }, (_, i) => i + 1).filter(d => n % d === 0)

/**
 * Multi-head self-attention with one packed projection for queries, keys and values (Vaswani et al., 2017,
 * section 3.2; the packing and names are timm's). `[tokens, dim] → [tokens, dim]`.
 *
 * Parameters under `attn`: `qkv.weight [3·dim, dim]` (rows q, k, v, each head by head), `qkv.bias [3·dim]`,
 * `proj.weight [dim, dim]`, `proj.bias [dim]`; with `qkNorm`, `q_norm` and `k_norm` over a head.
 * Inside `decideTokens` it takes nothing from tokens that no longer count.
 * Errors: `expectsTokens`, `headsDoNotSplit`, `policyDiffers`.
 *
 * @example
 * pipe(input(197, 192), selfAttention({ numHeads: 3 })) // Model<[197, 192], [197, 192]>
 */
export const selfAttention = <const H extends number>(config: SelfAttentionConfig<H>): Layer<SplitsIntoHeads<H>> => {
  const { numHeads, qkvBias = true, projBias = true, qkNorm = false, epsilon = 1e-6, scale: ownScale, attentionDropout = 0, projDropout = 0 } = config
  return defineLayer('selfAttention', selfAttention, [config], {
    label: 'attention',
    config: { numHeads, qkvBias, projBias, qkNorm, epsilon, scale: ownScale, attentionDropout, projDropout },
    scope: 'attn',
    check: shape => firstOf(() => splitsIntoHeads(shape, numHeads), () => amounts('attention', { epsilon, ...(ownScale === undefined ? {} : { scale: ownScale }) }), () => rates('attention', { attentionDropout, projDropout })),
    parameters: shape => projections(shape[1] as number, qkvBias, projBias),
    traits: { order: 'equivariant', ...(qkNorm ? { inert: { 'k_norm.bias': 'a softmax takes out what is the same for all keys' } } : {}) },
    forward: (x, context) => {
      const { parameters, mode, window, policy, apply } = context
      const [count, dim] = x.shape as readonly [number, number]
      const headDim = dim / numHeads
      const qkv = linear(x, parameters['qkv.weight']!, parameters['qkv.bias'])
      const part = (i: number): Tensor => slice(qkv, [0, i * dim], [count, dim])
      const normalised = (t: Tensor, scope: string): Tensor =>
        qkNorm ? reshape(apply(layerNorm({ epsilon }), reshape(t, [count, numHeads, headDim]), scope) as Tensor, [count, dim]) : t
      const [q, k, v] = [normalised(part(0), 'q_norm'), normalised(part(1), 'k_norm'), part(2)]
      const scale = ownScale ?? headDim ** -0.5
      // In a shifted window not all tokens are neighbours.
      const mask = window?.mask === undefined ? undefined : add(window.mask, constant(new Float32Array(numHeads), [numHeads, 1, 1]))
      const isWrittenOut = policy !== undefined || (mode === 'training' && attentionDropout > 0)
      const attended = isWrittenOut ? writtenOut(q, k, v, numHeads, scale, attentionDropout, mask, context) : attention(q, k, v, { numHeads, scale }, mask)
      const projected = linear(attended, parameters['proj.weight']!, parameters['proj.bias'])
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link selfAttention}. */
export const selfAttentionArguments: Arguments = [choice.options({ numHeads: choice.divisorOf('channels') }, { qkvBias: choice.flag, projBias: choice.flag, qkNorm: choice.flag, epsilon: choice.epsilon, scale: choice.among(0.25, 1), attentionDropout: choice.rate, projDropout: choice.rate })]

const projections = (dim: number, qkvBias: boolean, projBias: boolean): Readonly<Record<string, ParameterDeclaration>> => ({
  'qkv.weight': { shape: [3 * dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(qkvBias ? { 'qkv.bias': { shape: [3 * dim], initialiser: { kind: 'zeros' } } as const } : {}),
  'proj.weight': { shape: [dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(projBias ? { 'proj.bias': { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
})

/** The same attention written out, because its weights themselves are needed. */
const writtenOut = (q: Tensor, k: Tensor, v: Tensor, numHeads: number, scale: number, rate: number, mask: Tensor | undefined, { apply, policy }: Context): Tensor => {
  const [count, dim] = q.shape as readonly [number, number]
  if (policy !== undefined && policy.shape[0] !== count) throw new Refusal(problem('policyDiffers', `attention: decisions are on ${policy.shape[0]} tokens, but ${count} arrive (${show(q.shape)})`))
  const heads = (t: Tensor): Tensor => transpose(reshape(t, [count, numHeads, dim / numHeads]), [1, 0, 2])
  const scores = multiply(matmul(heads(q), heads(k), { transposeB: true }), scalar(scale))
  const weights = policy !== undefined ? policySoftmax(scores, policy) : softmax(mask === undefined ? scores : add(scores, mask))
  const attended = matmul(apply(dropWeights(rate), weights) as Tensor, heads(v))
  return reshape(transpose(attended, [1, 0, 2]), [count, dim])
}
