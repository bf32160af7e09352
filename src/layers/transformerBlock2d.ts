import { add } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { type Problem, problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import type { AnyShapeError, Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { conv2d } from './conv2d.js'
import { type Activation, activationNames, activations } from './core/activation.js'
import { type Arguments, choice } from './core/choice.js'
import { evenSizes, type EvenSizes, half, type Half, type PoolKind, poolKinds, roundsUp, type RoundsUp } from './core/halving.js'
import { type AnyLayer, defineLayer, type Layer } from './core/layer.js'
import { type NormKind, normKinds, normOf } from './core/normalisation.js'
import { amounts, firstOf, image, oneOf, rates, sizes } from './core/preconditions.js'
import { doesNotHalve, type DoesNotHalve, downsample2d } from './downsample2d.js'
import { dropout } from './dropout.js'
import { dropPath } from './dropPath.js'
import { layerScale } from './layerScale.js'
import { shortcutMisfit, type ShortcutMisfit } from './mbConv.js'
import { named } from './named.js'
import { relativeAttention2d, type IfHeads, type RelativePositionKind, relativePositionKinds, splitsIntoHeadsOf } from './relativeAttention2d.js'
import { serial } from './serial.js'

/** Options of {@link transformerBlock2d}. */
export interface TransformerBlock2dConfig<D extends number, S extends number, HD extends number, E extends boolean, K extends PoolKind> {
  /** Channels out. */
  readonly dim: D
  /** 1 (default) or 2. */
  readonly stride?: S
  /** Channels of a head (default 32). */
  readonly headDim?: HD
  /** Whether attention itself has `dim` channels (default true), or those that arrive. */
  readonly expandFirst?: E
  /** What makes the map smaller, in shortcut and branch alike (default `average2`). */
  readonly pool?: K
  /** Whether the shortcut's convolution has a bias (default true). */
  readonly shortcutBias?: boolean
  /** Whether attention's projections have biases (default true). */
  readonly attentionBias?: boolean
  /** Hidden channels of the MLP as a multiple of `dim` (default 4). */
  readonly mlpRatio?: number
  /** Default `table`. */
  readonly positions?: RelativePositionKind
  /** Hidden channels of the network of `mlp` positions (default 512). */
  readonly positionDim?: number
  /** Where given, each branch is scaled channel by channel, beginning with this value. */
  readonly layerScale?: number
  readonly activation?: Activation
  /** Default `layerNorm`. */
  readonly norm?: NormKind
  /** Epsilon of the norms (default 1e-6). */
  readonly epsilon?: number
  /** Rates that act in training only (default 0). */
  readonly dropout?: number
  readonly attentionDropout?: number
  readonly dropPath?: number
}

/** The shape function of {@link transformerBlock2d}. */
export interface TransformerBlock2d<D extends number, S extends number, HD extends number, E extends boolean, Up extends boolean> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? IfHeads<readonly [H, W, C], [E] extends [true] ? D : [E] extends [false] ? C : number, HD, true> extends infer Heads
      ? Heads extends AnyShapeError ? Heads : S extends 2 ? Strided<H, W, D, Half<H, true>, Half<W, true>, Up> : Kept<H, W, C, D>
      : never
    : Expects<'expectsImage', 'transformerBlock2d', this['in']>
}
// Where places would be left out, `Half` with and without rounding up differ: what is known of Up decides.
type Strided<H extends number, W extends number, D extends number, Rows extends number, Columns extends number, Up extends boolean> =
  [Up] extends [false] ? ([Rows, Columns] extends [Half<H, false>, Half<W, false>] ? readonly [Rows, Columns, D] : DoesNotHalve<H, W, 'transformerBlock2d', EvenSizes>) : readonly [Rows, Columns, D]
type Kept<H extends number, W extends number, C extends number, D extends number> =
  number extends C | D ? readonly [H, W, D] : [C] extends [D] ? readonly [H, W, D] : ShortcutMisfit<'transformerBlock2d', readonly [H, W, C], readonly [H, W, C], readonly [H, W, D]>

/**
 * One encoder block on a map: relative attention, then an MLP of one-pixel convolutions, each in a residual
 * branch (Dai et al., 2021, section 2.2.1). With stride 2, both the shortcut and the normed branch of attention
 * are pooled first; pools of 2×2 ask for even sizes. `[height, width, channels] → [height / stride, width / stride, dim]`.
 *
 * Parameters under `block`, by timm's names: `shortcut.expand`, `norm1` (with stride 2 `norm1.norm`), `attn`,
 * `ls1`, `norm2`, `mlp.fc1`, `mlp.fc2`, `ls2`.
 * Errors: `expectsImage`, `headDimDoesNotSplit`, `mapDoesNotHalve`, `shortcutMisfit`, `unknownOption`, `notASize`, `notAnAmount`, `notARate`.
 *
 * @example
 * pipe(input(28, 28, 192), transformerBlock2d({ dim: 384, stride: 2 })) // Model<[28, 28, 192], [14, 14, 384]>
 */
export const transformerBlock2d = <const D extends number, const S extends number = 1, const HD extends number = 32, const E extends boolean = true, const K extends PoolKind = 'average2'>(
  config: TransformerBlock2dConfig<D, S, HD, E, K>,
): Layer<TransformerBlock2d<D, S, HD, E, RoundsUp<K, 'symmetric'>>> => {
  const {
    dim, stride = 1, headDim = 32, expandFirst = true, pool = 'average2', shortcutBias = true, attentionBias = true, mlpRatio = 4, positions = 'table', positionDim = 512,
    layerScale: scale, activation = 'gelu', norm = 'layerNorm', epsilon = 1e-6, dropout: rate = 0, attentionDropout = 0, dropPath: pathRate = 0,
  } = config
  const hidden = Math.floor(dim * mlpRatio)
  return defineLayer('transformerBlock2d', transformerBlock2d, [config], {
    config: { dim, stride, headDim, expandFirst, pool, shortcutBias, attentionBias, mlpRatio, positions, positionDim, layerScale: scale, activation, norm, epsilon, dropout: rate, attentionDropout, dropPath: pathRate },
    scope: 'block',
    check: shape =>
      firstOf(
        () => sizes('transformerBlock2d', { dim, headDim, positionDim, 'the number of hidden channels': hidden }),
        () => (stride === 1 || stride === 2 ? undefined : problem('unknownOption', `transformerBlock2d: stride must be 1 or 2, got ${String(stride)}`)),
        () => oneOf('transformerBlock2d', 'pool', pool, poolKinds),
        () => oneOf('transformerBlock2d', 'positions', positions, relativePositionKinds),
        () => oneOf('transformerBlock2d', 'activation', activation, activationNames),
        () => oneOf('transformerBlock2d', 'norm', norm, normKinds),
        () => amounts('transformerBlock2d', { epsilon }),
        () => rates('transformerBlock2d', { dropout: rate, attentionDropout, dropPath: pathRate }),
        () => image('transformerBlock2d', shape),
        () => splitsIntoHeadsOf(expandFirst ? dim : (shape[2] as number), headDim, shape),
        () => meets(shape, dim, stride, roundsUp(pool, 'symmetric')),
      ),
    forward: (x, { apply }) => {
      const run = (layer: AnyLayer, t: Tensor, scope: string): Tensor => apply(layer, t, scope) as Tensor
      const normalise = normOf(norm, epsilon)
      const finished = (t: Tensor, i: 1 | 2): Tensor => {
        const scaled = scale === undefined ? t : run(layerScale(scale), t, `ls${i}`)
        return pathRate === 0 ? scaled : run(dropPath(pathRate), scaled, `drop_path${i}`)
      }
      const shortcut = stride === 2 ? run(downsample2d({ dim, pool, bias: shortcutBias }), x, 'shortcut') : x
      const front = run(stride === 2 ? serial(named('norm', normalise), named('down', downsample2d({ pool }))) : normalise, x, 'norm1')
      const attended = run(relativeAttention2d({ dim, headDim, expandFirst, bias: attentionBias, positions, positionDim, attentionDropout, projDropout: rate }), front, 'attn')
      const middle = add(shortcut, finished(attended, 1))
      return add(middle, finished(run(convMlp(dim, hidden, activation, rate), run(normalise, middle, 'norm2'), 'mlp'), 2))
    },
  })
}

/** What generators may give {@link transformerBlock2d}. */
export const transformerBlock2dArguments: Arguments = [
  choice.options(
    { dim: choice.size },
    {
      stride: choice.among(1, 2), headDim: choice.either(choice.divisorOf('channels'), choice.whole(1, 6)), expandFirst: choice.flag, pool: choice.among(...poolKinds), shortcutBias: choice.flag, attentionBias: choice.flag,
      mlpRatio: choice.among(0.5, 1, 2), positions: choice.among(...relativePositionKinds), positionDim: choice.whole(1, 5), layerScale: choice.among(0.1, 1), activation: choice.among(...activationNames),
      norm: choice.among(...normKinds), epsilon: choice.epsilon, dropout: choice.rate, attentionDropout: choice.rate, dropPath: choice.rate,
    },
  ),
]

/** An MLP whose maps are stored as convolutions of one pixel. */
const convMlp = (dim: number, hidden: number, activation: Activation, rate: number): AnyLayer =>
  defineLayer('mlp', convMlp, [dim, hidden, activation, rate], {
    forward: (x, { apply }) => {
      const inner = activations[activation](apply(conv2d({ dim: hidden, kernelSize: 1 }), x, 'fc1') as Tensor)
      return apply(conv2d({ dim, kernelSize: 1 }), rate === 0 ? inner : apply(dropout(rate), inner, 'drop'), 'fc2')
    },
  })

const meets = (shape: Shape, dim: number, stride: number, up: boolean): Problem | undefined => {
  const [height, width, channels] = shape as readonly [number, number, number]
  if (stride === 1) return channels === dim ? undefined : shortcutMisfit('transformerBlock2d', shape, shape, [height, width, dim])
  return up || (half(height, true) === half(height, false) && half(width, true) === half(width, false)) ? undefined : doesNotHalve('transformerBlock2d', shape, evenSizes)
}
