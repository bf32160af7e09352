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
import { amounts, firstOf, oneOf, rates, sizes, tokens } from './core/preconditions.js'
import { Refusal } from './core/refuse.js'
import { windowTokens } from './core/windowTokens.js'
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
  /** Whether a token sees only itself and those before it, as in a text that is read from the front (default false). */
  readonly causal?: boolean
  /** What its parameters are called: as in timm, or as in PyTorch's `nn.MultiheadAttention` (default `timm`). */
  readonly naming?: 'timm' | 'torch'
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
 * `proj.weight [dim, dim]`, `proj.bias [dim]`; with `qkNorm`, `q_norm` and `k_norm` over a head. PyTorch calls the
 * same ones `in_proj_weight`, `in_proj_bias`, `out_proj.weight` and `out_proj.bias`.
 * Inside `decideTokens` it takes nothing from tokens that no longer count.
 * Errors: `expectsTokens`, `headsDoNotSplit`, `policyDiffers`, `notTheWindow` (in shifted windows).
 *
 * @example
 * pipe(input(197, 192), selfAttention({ numHeads: 3 })) // Model<[197, 192], [197, 192]>
 */
export const selfAttention = <const H extends number>(config: SelfAttentionConfig<H>): Layer<SplitsIntoHeads<H>> => {
  const { numHeads, qkvBias = true, projBias = true, qkNorm = false, epsilon = 1e-6, scale: ownScale, causal = false, naming = 'timm', attentionDropout = 0, projDropout = 0 } = config
  const names = parameterNames[naming] ?? parameterNames.timm
  return defineLayer('selfAttention', selfAttention, [config], {
    label: 'attention',
    config: { numHeads, qkvBias, projBias, qkNorm, epsilon, scale: ownScale, causal, naming, attentionDropout, projDropout },
    scope: 'attn',
    check: (shape, window) => firstOf(() => splitsIntoHeads(shape, numHeads), () => (window?.mask === undefined ? undefined : windowTokens(shape, window)), () => amounts('attention', { epsilon, ...(ownScale === undefined ? {} : { scale: ownScale }) }), () => oneOf('attention', 'naming', naming, ['timm', 'torch']), () => rates('attention', { attentionDropout, projDropout })),
    parameters: shape => projections(shape[1] as number, qkvBias, projBias, names),
    traits: { order: causal ? 'positional' : 'equivariant', ...(qkNorm ? { inert: { 'k_norm.bias': 'a softmax takes out what is the same for all keys' } } : {}) },
    forward: (x, context) => {
      const { parameters, mode, window, policy, apply } = context
      const [count, dim] = x.shape as readonly [number, number]
      const headDim = dim / numHeads
      const qkv = linear(x, parameters[names.qkv[0]]!, parameters[names.qkv[1]])
      const part = (i: number): Tensor => slice(qkv, [0, i * dim], [count, dim])
      const normalised = (t: Tensor, scope: string): Tensor =>
        qkNorm ? reshape(apply(layerNorm({ epsilon }), reshape(t, [count, numHeads, headDim]), scope) as Tensor, [count, dim]) : t
      const [q, k, v] = [normalised(part(0), 'q_norm'), normalised(part(1), 'k_norm'), part(2)]
      const scale = ownScale ?? headDim ** -0.5
      // In a shifted window not all tokens are neighbours, and what is read from the front is not known ahead.
      const hidden = [...(window?.mask === undefined ? [] : [window.mask]), ...(causal ? [ahead(count)] : [])]
      const mask = hidden.length === 0 ? undefined : hidden.reduce<Tensor>((sum, more) => add(more, sum), constant(new Float32Array(numHeads), [numHeads, 1, 1]))
      const isWrittenOut = policy !== undefined || (mode === 'training' && attentionDropout > 0)
      const attended = isWrittenOut ? writtenOut(q, k, v, numHeads, scale, attentionDropout, mask, context) : attention(q, k, v, { numHeads, scale }, mask)
      const projected = linear(attended, parameters[names.proj[0]]!, parameters[names.proj[1]])
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link selfAttention}. */
export const selfAttentionArguments: Arguments = [choice.options({ numHeads: choice.divisorOf('channels') }, { qkvBias: choice.flag, projBias: choice.flag, qkNorm: choice.flag, epsilon: choice.epsilon, scale: choice.among(0.25, 1), causal: choice.flag, naming: choice.among('timm', 'torch'), attentionDropout: choice.rate, projDropout: choice.rate })]

const parameterNames = {
  timm: { qkv: ['qkv.weight', 'qkv.bias'], proj: ['proj.weight', 'proj.bias'] },
  torch: { qkv: ['in_proj_weight', 'in_proj_bias'], proj: ['out_proj.weight', 'out_proj.bias'] },
} as const

/** What hides from each token those after it: large enough to leave nothing of a score, and finite, so that no gradient is a NaN. */
const ahead = (count: number): Tensor => constant(Float32Array.from({ length: count * count }, (_, i) => (i % count > Math.floor(i / count) ? -1e9 : 0)), [1, count, count])

const projections = (dim: number, qkvBias: boolean, projBias: boolean, { qkv, proj }: (typeof parameterNames)['timm' | 'torch']): Readonly<Record<string, ParameterDeclaration>> => ({
  [qkv[0]]: { shape: [3 * dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(qkvBias ? { [qkv[1]]: { shape: [3 * dim], initialiser: { kind: 'zeros' } } as const } : {}),
  [proj[0]]: { shape: [dim, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(projBias ? { [proj[1]]: { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
})

/** The same attention written out, because its weights themselves are needed. */
const writtenOut = (q: Tensor, k: Tensor, v: Tensor, numHeads: number, scale: number, rate: number, mask: Tensor | undefined, { apply, policy }: Context): Tensor => {
  const [count, dim] = q.shape as readonly [number, number]
  if (policy !== undefined && policy.shape[0] !== count) throw new Refusal(problem('policyDiffers', `attention: decisions are on ${policy.shape[0]} tokens, but ${count} arrive (${show(q.shape)})`))
  const heads = (t: Tensor): Tensor => transpose(reshape(t, [count, numHeads, dim / numHeads]), [1, 0, 2])
  const products = multiply(matmul(heads(q), heads(k), { transposeB: true }), scalar(scale))
  const scores = mask === undefined ? products : add(products, mask)
  const weights = policy !== undefined ? policySoftmax(scores, policy) : softmax(scores)
  const attended = matmul(apply(dropWeights(rate), weights) as Tensor, heads(v))
  return reshape(transpose(attended, [1, 0, 2]), [count, dim])
}
