import { add, attention, constant, linear, reshape, slice } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { DivMod } from '../shape/natural.js'
import { problem, type Problem } from '../shape/problem.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { attentionDropout as dropWeights } from './attentionDropout.js'
import { attentionScores, attentionWeights, weighted } from './core/attentionWeights.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { policySoftmax } from './core/policySoftmax.js'
import { amounts, firstOf, oneOf, rates, sizes, tokens } from './core/preconditions.js'
import { Refusal } from './core/refuse.js'
import { windowTokens } from './core/windowTokens.js'
import { dropout } from './dropout.js'
import { layerNorm } from './layerNorm.js'

/** Options of {@link selfAttention}. */
export interface SelfAttentionConfig<H extends number, D extends number = number> {
  readonly numHeads: H
  /** Channels of a head; the channels that arrive, split among the heads, unless given (as where heads were pruned). */
  readonly headDim?: D
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

/** The shape function of {@link selfAttention}; its weights are known inside. */
export interface SelfAttention<H extends number, D extends number = number> extends ShapeFunction {
  readonly scope: 'attn'
  readonly out: number extends D ? Apply<SplitsIntoHeads<H>, this['in']> : this['in'] extends readonly [number, number] ? this['in'] : Expects<'expectsTokens', 'attention', this['in']>
  readonly path: string
  readonly inner: this['path'] extends 'weights' ? WeightsOf<H, this['in']> : never
}
type WeightsOf<H extends number, S> = S extends readonly [infer N extends number, number] ? readonly [H, N, N] : never

/** The run-time twin of {@link SplitsIntoHeads}. */
export const splitsIntoHeads = (shape: Shape, numHeads: number): Problem | undefined =>
  firstOf(
    () => sizes('attention', { numHeads }),
    () => tokens('attention', shape),
    () => ((shape[1] as number) % numHeads === 0 ? undefined : misfit('headsDoNotSplit', { channels: shape[1] as number, numHeads, shape: show(shape) }, { remedy: `head counts that fit: ${divisors(shape[1] as number).join(', ')}` })),
  )
/** Whether signals are tokens that a number of heads can look at: their channels split, unless heads have a size of their own. */
export const hasHeads = (shape: Shape, numHeads: number, headDim: number | undefined): Problem | undefined =>
  headDim === undefined ? splitsIntoHeads(shape, numHeads) : firstOf(() => sizes('attention', { numHeads, headDim }), () => tokens('attention', shape))
const divisors = (n: number): readonly number[] => Array.from({ length: Math.min(n, 64) }, (_, i) => i + 1).filter(d => n % d === 0)

/**
 * Multi-head self-attention with one packed projection for queries, keys and values (Vaswani et al., 2017,
 * section 3.2; the packing and names are timm's). `[tokens, dim] → [tokens, dim]`.
 *
 * Parameters under `attn`, `inner` being `numHeads·headDim`: `qkv.weight [3·inner, dim]` (rows q, k, v, each head by
 * head), `qkv.bias [3·inner]`, `proj.weight [dim, inner]`, `proj.bias [dim]`; with `qkNorm`, `q_norm` and `k_norm` over a head. PyTorch calls the
 * same ones `in_proj_weight`, `in_proj_bias`, `out_proj.weight` and `out_proj.bias`.
 * The weights `[heads, tokens, tokens]` are the feature `<path>.weights`, computed where something asks for them.
 * Inside `decideTokens` it takes nothing from tokens that no longer count.
 * Errors: `expectsTokens`, `headsDoNotSplit`, `policyDiffers`, `notTheWindow` (in shifted windows), `notASize`, `notAnAmount`, `notARate`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 192), selfAttention({ numHeads: 3 })) // Model<[197, 192], [197, 192]>
 */
export const selfAttention = <const H extends number, const D extends number = number>(config: SelfAttentionConfig<H, D>): Layer<SelfAttention<H, D>> => {
  const { numHeads, headDim: ownDim, qkvBias = true, projBias = true, qkNorm = false, epsilon = 1e-6, scale: ownScale, causal = false, naming = 'timm', attentionDropout = 0, projDropout = 0 } = config
  const names = parameterNames[naming] ?? parameterNames.timm
  return defineLayer('selfAttention', selfAttention, [config], {
    label: 'attention',
    config: { numHeads, headDim: ownDim, qkvBias, projBias, qkNorm, epsilon, scale: ownScale, causal, naming, attentionDropout, projDropout },
    scope: 'attn',
    check: (shape, window) => firstOf(() => hasHeads(shape, numHeads, ownDim), () => (window?.mask === undefined ? undefined : windowTokens(shape, window)), () => amounts('attention', { epsilon, ...(ownScale === undefined ? {} : { scale: ownScale }) }), () => oneOf('attention', 'naming', naming, ['timm', 'torch']), () => rates('attention', { attentionDropout, projDropout })),
    parameters: shape => projections(shape[1] as number, ownDim === undefined ? shape[1]! : numHeads * ownDim, qkvBias, projBias, names),
    traits: { order: causal ? 'positional' : 'equivariant', ...(qkNorm ? { inert: { 'k_norm.bias': 'a softmax takes out what is the same for all keys' } } : {}) },
    forward: (x, { parameters, mode, window, policy, path, apply, offer }) => {
      const [count, channels] = x.shape as readonly [number, number]
      const headDim = ownDim ?? channels / numHeads
      const dim = numHeads * headDim
      const qkv = linear(x, parameters[names.qkv[0]]!, parameters[names.qkv[1]])
      const part = (i: number): Tensor => slice(qkv, [0, i * dim], [count, dim])
      const normalised = (t: Tensor, scope: string): Tensor =>
        qkNorm ? reshape(apply(layerNorm({ epsilon }), reshape(t, [count, numHeads, headDim]), scope) as Tensor, [count, dim]) : t
      const [q, k, v] = [normalised(part(0), 'q_norm'), normalised(part(1), 'k_norm'), part(2)]
      const scale = ownScale ?? headDim ** -0.5
      // In a shifted window not all tokens are neighbours, and what is read from the front is not known ahead.
      const hidden = [...(window?.mask === undefined ? [] : [window.mask]), ...(causal ? [ahead(count)] : [])]
      const mask = hidden.length === 0 ? undefined : hidden.reduce<Tensor>((sum, more) => add(more, sum), constant(new Float32Array(numHeads), [numHeads, 1, 1]))
      const weights = offer(`${path}.weights`, () => (policy === undefined ? attentionWeights(q, k, { numHeads, scale }, mask) : underPolicy(attentionScores(q, k, { numHeads, scale }, mask), policy)))
      const isWrittenOut = policy !== undefined || (mode === 'training' && attentionDropout > 0)
      const attended = isWrittenOut ? weighted(apply(dropWeights(attentionDropout), weights()) as Tensor, v) : attention(q, k, v, { numHeads, scale }, mask)
      const projected = linear(attended, parameters[names.proj[0]]!, parameters[names.proj[1]])
      return projDropout === 0 ? projected : apply(dropout(projDropout), projected, 'proj_drop')
    },
  })
}

/** What generators may give {@link selfAttention}. */
export const selfAttentionArguments: Arguments = [choice.options({ numHeads: choice.divisorOf('channels') }, { headDim: choice.whole(1, 5), qkvBias: choice.flag, projBias: choice.flag, qkNorm: choice.flag, epsilon: choice.epsilon, scale: choice.among(0.25, 1), causal: choice.flag, naming: choice.among('timm', 'torch'), attentionDropout: choice.rate, projDropout: choice.rate })]

const parameterNames = {
  timm: { qkv: ['qkv.weight', 'qkv.bias'], proj: ['proj.weight', 'proj.bias'] },
  torch: { qkv: ['in_proj_weight', 'in_proj_bias'], proj: ['out_proj.weight', 'out_proj.bias'] },
} as const

/** What hides from each token those after it: large enough to leave nothing of a score, and finite, so that no gradient is a NaN. */
const ahead = (count: number): Tensor => constant(Float32Array.from({ length: count * count }, (_, i) => (i % count > Math.floor(i / count) ? -1e9 : 0)), [1, count, count])

const projections = (dim: number, inner: number, qkvBias: boolean, projBias: boolean, { qkv, proj }: (typeof parameterNames)['timm' | 'torch']): Readonly<Record<string, ParameterDeclaration>> => ({
  [qkv[0]]: { shape: [3 * inner, dim], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(qkvBias ? { [qkv[1]]: { shape: [3 * inner], initialiser: { kind: 'zeros' } } as const } : {}),
  [proj[0]]: { shape: [dim, inner], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
  ...(projBias ? { [proj[1]]: { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
})

/** Attention among tokens of which some no longer count. */
const underPolicy = (scores: Tensor, policy: Tensor): Tensor => {
  const tokens = scores.shape[2]!
  if (policy.shape[0] !== tokens) throw new Refusal(problem('policyDiffers', `attention: decisions are on ${policy.shape[0]} tokens, but ${tokens} arrive`))
  return policySoftmax(scores, policy)
}
