import { add } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { type Problem, problem } from '../shape/problem.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { conv2d } from './conv2d.js'
import { type Activation, activationNames } from './core/activation.js'
import { type Arguments, choice } from './core/choice.js'
import { type BlockPadding, evenSizes, type EvenSizes, half, type Half, type PoolKind, poolKinds, roundsUp, type RoundsUp } from './core/halving.js'
import { type AnyLayer, defineLayer, type Layer } from './core/layer.js'
import { normActivation, type NormKind, normKinds, normOf } from './core/normalisation.js'
import { amounts, firstOf, image, oneOf, rates, sizes } from './core/preconditions.js'
import { depthwiseConv2d } from './depthwiseConv2d.js'
import { downsample2d, doesNotHalve, type DoesNotHalve } from './downsample2d.js'
import { dropPath } from './dropPath.js'
import { squeezeExcite } from './squeezeExcite.js'

/** Where a block of stride 2 makes its branch smaller: in the depthwise convolution, in the one before it, or by a pool in front of both. */
export type StrideMode = 'depthwise' | 'pointwise' | 'pool'

/** Options of {@link mbConv}. */
export interface MbConvConfig<D extends number, S extends number, K extends PoolKind, M extends StrideMode, B extends PoolKind, P extends BlockPadding> {
  /** Channels out. */
  readonly dim: D
  /** 1 (default) or 2. */
  readonly stride?: S
  /** Inner channels as a multiple of `dim` or of the channels in (default 4); rounded to a multiple of 8. */
  readonly expansion?: number
  /** Which channels are multiplied (default `output`). */
  readonly expandFrom?: 'output' | 'input'
  /** Of the depthwise convolution (default 3). */
  readonly kernelSize?: number
  /** How many inner channels see one another in it (default 1); 0: all. */
  readonly groupSize?: number
  /** Default `depthwise`. */
  readonly strideMode?: M
  /** The pool of the shortcut (default `average2`). */
  readonly pool?: K
  /** The pool of the branch, with `strideMode: 'pool'` (default `average2`). */
  readonly branchPool?: B
  /** Default `symmetric`. */
  readonly padding?: P
  /** Whether the norm in front is followed by an activation (default false). */
  readonly preActivation?: boolean
  readonly activation?: Activation
  /** Squeeze-and-excitation after the norm that follows the depthwise convolution, before it, or nowhere (default `late`). */
  readonly excite?: 'late' | 'early' | 'none'
  /** Its hidden channels, as a part of those that `expandFrom` makes the measure: `dim`, or the inner channels (default 1/4). */
  readonly exciteRatio?: number
  readonly exciteActivation?: Activation
  /** Default `batchNorm`. */
  readonly norm?: NormKind
  /** Epsilon of the norms (default 1e-5). */
  readonly epsilon?: number
  /** Whether the last convolution and the shortcut's have biases (default true). */
  readonly outputBias?: boolean
  /** Rate at which the whole branch is dropped in training (default 0). */
  readonly dropPath?: number
}

/** The shape function of {@link mbConv}: the two flags say whether shortcut and branch round up. */
export interface MbConv<D extends number, S extends number, ShortcutUp extends boolean, BranchUp extends boolean> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? S extends 2 ? Strided<H, W, C, D, Half<H, ShortcutUp>, Half<W, ShortcutUp>, Half<H, BranchUp>, Half<W, BranchUp>> : Kept<H, W, C, D>
    : Expects<'expectsImage', 'mbConv', this['in']>
}
type Strided<H extends number, W extends number, C extends number, D extends number, SH extends number, SW extends number, BH extends number, BW extends number> =
  number extends SH | SW | BH | BW ? readonly [BH, BW, D]
  : [SH, SW] extends [BH, BW]
    ? 0 extends SH | SW ? DoesNotHalve<H, W, 'mbConv', EvenSizes> : readonly [BH, BW, D]
    : ShortcutMisfit<'mbConv', readonly [H, W, C], readonly [SH, SW, D], readonly [BH, BW, D], EvenSizes>
type Kept<H extends number, W extends number, C extends number, D extends number> =
  number extends C | D ? readonly [H, W, D] : [C] extends [D] ? readonly [H, W, D] : ShortcutMisfit<'mbConv', readonly [H, W, C], readonly [H, W, C], readonly [H, W, D]>

/** The error of a block whose two ways do not meet. */
export type ShortcutMisfit<Name extends string, Before extends Shape, Shortcut extends Shape, Branch extends Shape, Remedy extends string = ''> =
  Misfit<'shortcutMisfit', { layer: Name; before: Show<Before>; shortcut: Show<Shortcut>; branch: Show<Branch> }, Name, Remedy>

/** The run-time twin of {@link ShortcutMisfit}. */
export const shortcutMisfit = (layer: string, before: Shape, shortcut: Shape, branch: Shape, remedy?: string): Problem =>
  misfit('shortcutMisfit', { layer, before: show(before), shortcut: show(shortcut), branch: show(branch) }, remedy === undefined ? {} : { remedy })

/**
 * An inverted bottleneck (Sandler et al., 2018, "MobileNetV2", section 3.4) with squeeze-and-excitation, normed
 * in front, as CoAtNet has it (Dai et al., 2021, section 2.2.1): channels are expanded, convolved one by one, and
 * projected. `[height, width, channels] → [height / stride, width / stride, dim]`.
 *
 * Parameters under `block`, by timm's names: `shortcut.expand`, `pre_norm`, `conv1_1x1`, `norm1`, `conv2_kxk`,
 * `se_early` or `se`, `norm2`, `conv3_1x1`. Errors: `expectsImage`, `shortcutMisfit`, `mapDoesNotHalve`,
 * `groupSizeDoesNotSplit`, `evenKernel` (padded alike on both sides), `notASize`, `notAnAmount`, `notARate`, `unknownOption`.
 *
 * @example
 * pipe(input(56, 56, 96), mbConv({ dim: 192, stride: 2 })) // Model<[56, 56, 96], [28, 28, 192]>
 */
export const mbConv = <const D extends number, const S extends number = 1, const K extends PoolKind = 'average2', const M extends StrideMode = 'depthwise', const B extends PoolKind = 'average2', const P extends BlockPadding = 'symmetric'>(
  config: MbConvConfig<D, S, K, M, B, P>,
): Layer<MbConv<D, S, RoundsUp<K, P>, M extends 'pool' ? RoundsUp<B, P> : true>> => {
  const {
    dim, stride = 1, expansion = 4, expandFrom = 'output', kernelSize = 3, groupSize = 1, strideMode = 'depthwise', pool = 'average2', branchPool = 'average2', padding = 'symmetric',
    preActivation = false, activation = 'gelu', excite = 'late', exciteRatio = 0.25, exciteActivation = 'silu', norm = 'batchNorm', epsilon = 1e-5, outputBias = true, dropPath: rate = 0,
  } = config
  const inner = (channels: number): number => divisible((expandFrom === 'output' ? dim : channels) * expansion)
  const active = normActivation(norm, epsilon, activation)
  const strideAt = (mode: StrideMode): number => (strideMode === mode ? stride : 1)
  return defineLayer('mbConv', mbConv, [config], {
    config: { dim, stride, expansion, expandFrom, kernelSize, groupSize, strideMode, pool, branchPool, padding, preActivation, activation, excite, exciteRatio, exciteActivation, norm, epsilon, outputBias, dropPath: rate },
    scope: 'block',
    check: shape =>
      firstOf(
        () => sizes('mbConv', { dim, kernelSize }),
        () => (stride === 1 || stride === 2 ? undefined : problem('unknownOption', `mbConv: stride must be 1 or 2, got ${String(stride)}`)),
        () => oneOf('mbConv', 'strideMode', strideMode, ['depthwise', 'pointwise', 'pool']),
        () => oneOf('mbConv', 'pool', pool, poolKinds),
        () => oneOf('mbConv', 'branchPool', branchPool, poolKinds),
        () => oneOf('mbConv', 'padding', padding, ['symmetric', 'same']),
        () => oneOf('mbConv', 'expandFrom', expandFrom, ['output', 'input']),
        () => oneOf('mbConv', 'excite', excite, ['late', 'early', 'none']),
        () => oneOf('mbConv', 'activation', activation, activationNames),
        () => oneOf('mbConv', 'norm', norm, normKinds),
        () => amounts('mbConv', { epsilon }),
        () => rates('mbConv', { dropPath: rate }),
        () => (padding === 'same' || kernelSize % 2 === 1 ? undefined : problem('evenKernel', `mbConv: a ${kernelSize}×${kernelSize} kernel has no middle`, { remedy: "an odd kernelSize, or padding 'same'" })),
        () => image('mbConv', shape),
        () => sizes('mbConv', { 'the number of inner channels': inner(shape[2] as number) }),
        () => (Number.isInteger(groupSize) && groupSize >= 0 && (groupSize === 0 || inner(shape[2] as number) % groupSize === 0) ? undefined : misfit('groupSizeDoesNotSplit', { layer: 'mbConv', channels: inner(shape[2] as number), groupSize })),
        () => meets(shape, dim, stride, roundsUp(pool, padding), strideMode === 'pool' ? roundsUp(branchPool, padding) : true),
      ),
    forward: (x, { apply }) => {
      const run = (layer: AnyLayer, t: Tensor, scope: string): Tensor => apply(layer, t, scope) as Tensor
      const channels = inner(x.shape[2] as number)
      const gate = squeezeExcite({ hiddenDim: squeezed(exciteRatio * (expandFrom === 'output' ? dim : channels), channels), activation: exciteActivation })

      const shortcut = stride === 2 ? run(downsample2d({ dim, pool, padding, bias: outputBias }), x, 'shortcut') : x
      const front = run(preActivation ? active : normOf(norm, epsilon), x, 'pre_norm')
      const down = strideAt('pool') === 2 ? run(downsample2d({ pool: branchPool, padding }), front, 'down') : front
      const wide = run(active, run(conv2d({ dim: channels, kernelSize: 1, stride: strideAt('pointwise'), bias: false }), down, 'conv1_1x1'), 'norm1')
      const convolved = run(depthwiseConv2d({ kernelSize, stride: strideAt('depthwise'), padding: padding === 'same' ? 'same' : (kernelSize - 1) / 2, groupSize: groupSize === 0 ? channels : groupSize, bias: false }), wide, 'conv2_kxk')
      const early = excite === 'early' ? run(gate, convolved, 'se_early') : convolved
      const activated = run(active, early, 'norm2')
      const late = excite === 'late' ? run(gate, activated, 'se') : activated
      const narrow = run(conv2d({ dim, kernelSize: 1, bias: outputBias }), late, 'conv3_1x1')
      return add(rate === 0 ? narrow : run(dropPath(rate), narrow, 'drop_path'), shortcut)
    },
  })
}

/** What generators may give {@link mbConv}. */
export const mbConvArguments: Arguments = [
  choice.options(
    { dim: choice.size },
    {
      stride: choice.among(1, 2), expansion: choice.among(0.5, 1, 2), expandFrom: choice.among('output', 'input'), kernelSize: choice.whole(1, 3), groupSize: choice.among(0, 1, 2, 4),
      strideMode: choice.among('depthwise', 'pointwise', 'pool'), pool: choice.among(...poolKinds), branchPool: choice.among(...poolKinds), padding: choice.among('symmetric', 'same'),
      preActivation: choice.flag, activation: choice.among(...activationNames), excite: choice.among('late', 'early', 'none'), exciteRatio: choice.among(0.25, 0.5), exciteActivation: choice.among(...activationNames),
      norm: choice.among(...normKinds), epsilon: choice.epsilon, outputBias: choice.flag, dropPath: choice.rate,
    },
  ),
]

const meets = (shape: Shape, dim: number, stride: number, shortcutUp: boolean, branchUp: boolean): Problem | undefined => {
  const [height, width, channels] = shape as readonly [number, number, number]
  if (stride === 1) return channels === dim ? undefined : shortcutMisfit('mbConv', shape, shape, [height, width, dim])
  const halved = (up: boolean): Shape => [half(height, up), half(width, up), dim]
  const [shortcut, branch] = [halved(shortcutUp), halved(branchUp)]
  if (show(shortcut) !== show(branch)) return shortcutMisfit('mbConv', shape, shortcut, branch, evenSizes)
  return shortcut.includes(0) ? doesNotHalve('mbConv', shape, evenSizes) : undefined
}

/** To the nearest multiple of 8, but not more than a tenth below (MobileNet's rule). */
const divisible = (channels: number): number => {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}

/** Hidden channels of the gate; where rounding leaves none, a sixteenth of the channels in steps of 8. */
const squeezed = (hidden: number, channels: number): number => (hidden >= 1 ? Math.floor(hidden) : Math.max(8, Math.floor((channels / 16 + 4) / 8) * 8))
