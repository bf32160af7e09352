import { add, multiply, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { problem } from '../shape/problem.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Activation, activationNames } from './core/activation.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, type Layer } from './core/layer.js'
import type { InnerOf } from './core/inner.js'
import { amounts, firstOf, oneOf, rates } from './core/preconditions.js'
import { dropPath } from './dropPath.js'
import { layerNorm } from './layerNorm.js'
import { layerScale } from './layerScale.js'
import { mlp } from './mlp.js'
import { rmsNorm } from './rmsNorm.js'
import { hasHeads, type SelfAttention, selfAttention } from './selfAttention.js'

/** Options of {@link encoderBlock}. */
export interface EncoderBlockConfig<H extends number, D extends number = number> {
  readonly numHeads: H
  /** Channels of a head; the channels that arrive, split among the heads, unless given (as where heads were pruned). */
  readonly headDim?: D
  /** Hidden channels of the MLP as a multiple of `dim` (default 4). */
  readonly mlpRatio?: number
  readonly qkvBias?: boolean
  readonly projBias?: boolean
  /** Whether the MLP's two maps have biases (default true). */
  readonly mlpBias?: boolean
  readonly qkNorm?: boolean
  /** Whether a token sees only itself and those before it, as in a text that is read from the front (default false). */
  readonly causal?: boolean
  /** What attention scores are multiplied by (default `1/√(dim/numHeads)`). */
  readonly attentionScale?: number
  readonly activation?: Activation
  /** `pre`: x + f(norm(x)), as ViT; `post`: norm(x + f(x)), as the original transformer (default `pre`). */
  readonly normPlacement?: 'pre' | 'post'
  readonly norm?: 'layerNorm' | 'rmsNorm'
  /** Epsilon of the norms (default 1e-6). */
  readonly epsilon?: number
  /** Where given, each branch is scaled channel by channel, beginning with this value. */
  readonly layerScale?: number
  /** What each branch is divided by before it is added, where given: LV-ViT's residual scaling (Jiang et al., 2021, section 3.1). */
  readonly branchDivisor?: number
  /** Rate at which attention and MLP outputs are dropped in training (default 0). */
  readonly dropout?: number
  /** Rate at which attention weights are dropped in training (default 0). */
  readonly attentionDropout?: number
  /** Rate at which whole branches are dropped in training (default 0). */
  readonly dropPath?: number
}

/** The shape function of {@link encoderBlock}: its parts keep the shape too, and the weights of its attention are known. */
export interface EncoderBlock<H extends number, D extends number = number> extends ShapeFunction {
  readonly out: Apply<SelfAttention<H, D>, this['in']>
  readonly path: string
  readonly inner: this['path'] extends 'attn' | 'mlp' | `norm${1 | 2}` | `ls${1 | 2}` ? this['in'] : this['path'] extends `attn.${infer Rest}` ? InnerOf<SelfAttention<H>, this['in'], Rest> : never
}

/**
 * One encoder block: attention, then an MLP, each in a residual branch (Dosovitskiy et al., 2020,
 * equations 2 and 3). `[tokens, dim] → [tokens, dim]`.
 *
 * Parameters under `block`: `norm1`, `attn`, `ls1`, `norm2`, `mlp`, `ls2`, by timm's names.
 * Errors: those of `attention` and `mlp`; `notADivisor`, `notAnAmount`, `notARate`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 192), repeat(12, encoderBlock({ numHeads: 3 }))) // Model<[197, 192], [197, 192]>
 */
export const encoderBlock = <const H extends number, const D extends number = number>(config: EncoderBlockConfig<H, D>): Layer<EncoderBlock<H, D>> => {
  const { numHeads, headDim, mlpRatio = 4, qkvBias = true, projBias = true, mlpBias = true, qkNorm = false, causal = false, attentionScale, activation = 'gelu', normPlacement = 'pre', norm = 'layerNorm', epsilon = 1e-6, layerScale: scale, branchDivisor, dropout = 0, attentionDropout = 0, dropPath: pathRate = 0 } = config
  const attn = selfAttention({ numHeads, ...(headDim === undefined ? {} : { headDim }), qkvBias, projBias, qkNorm, causal, epsilon, ...(attentionScale === undefined ? {} : { scale: attentionScale }), attentionDropout, projDropout: dropout })
  const feedForward = mlp({ mlpRatio, activation, bias: mlpBias, dropout })
  const normalise = norm === 'layerNorm' ? layerNorm({ epsilon }) : rmsNorm({ epsilon })
  return defineLayer('encoderBlock', encoderBlock, [config], {
    config: { numHeads, headDim, mlpRatio, qkvBias, projBias, mlpBias, qkNorm, causal, attentionScale, activation, normPlacement, norm, epsilon, layerScale: scale, branchDivisor, dropout, attentionDropout, dropPath: pathRate },
    scope: 'block',
    check: shape =>
      firstOf(
        () => hasHeads(shape, numHeads, headDim),
        () => rates('encoderBlock', { dropPath: pathRate }),
        () => amounts('encoderBlock', { epsilon, ...(attentionScale === undefined ? {} : { attentionScale }) }),
        () => (branchDivisor === undefined || (Number.isFinite(branchDivisor) && branchDivisor > 0) ? undefined : problem('notADivisor', `encoderBlock: branchDivisor must be a number above 0, got ${String(branchDivisor)}`)),
        () => oneOf('encoderBlock', 'norm', norm, ['layerNorm', 'rmsNorm']),
        () => oneOf('encoderBlock', 'normPlacement', normPlacement, ['pre', 'post']),
      ),
    traits: { order: causal ? 'positional' : 'equivariant' },
    forward: (x, { apply }) => {
      const run = (layer: AnyLayer, scope: string) => (t: Tensor): Tensor => apply(layer, t, scope) as Tensor
      const branch = (t: Tensor, name: string, layer: AnyLayer, i: 1 | 2): Tensor => {
        const inner = run(layer, name)(normPlacement === 'pre' ? run(normalise, `norm${i}`)(t) : t)
        const scaled = scale === undefined ? inner : run(layerScale(scale), `ls${i}`)(inner)
        const dropped = pathRate === 0 ? scaled : run(dropPath(pathRate), `drop_path${i}`)(scaled)
        const sum = add(t, branchDivisor === undefined ? dropped : multiply(dropped, scalar(1 / branchDivisor)))
        return normPlacement === 'post' ? run(normalise, `norm${i}`)(sum) : sum
      }
      return branch(branch(x, 'attn', attn, 1), 'mlp', feedForward, 2)
    },
  })
}

/** What generators may give {@link encoderBlock}. */
export const encoderBlockArguments: Arguments = [
  choice.options(
    { numHeads: choice.divisorOf('channels') },
    {
      headDim: choice.whole(1, 5), mlpRatio: choice.among(0.5, 1, 2), qkvBias: choice.flag, projBias: choice.flag, mlpBias: choice.flag, qkNorm: choice.flag, causal: choice.flag, attentionScale: choice.among(0.25, 1), activation: choice.among(...activationNames),
      normPlacement: choice.among('pre', 'post'), norm: choice.among('layerNorm', 'rmsNorm'), epsilon: choice.epsilon, layerScale: choice.among(0.1, 1), branchDivisor: choice.among(0.5, 2), dropout: choice.rate, attentionDropout: choice.rate, dropPath: choice.rate,
    },
  ),
]
