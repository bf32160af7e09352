import { averagePool, batchNorm, conv2d, groupNorm, identity, maxPool, named, relu, residual, serial, stages, stdConv2d, when } from '../../src/index.js'
import type { AnyLayer, Layer } from '../../src/layers/core/layer.js'
import type { Positions } from '../../src/layers/core/padding.js'
import type { Expects } from '../../src/shape/shapeError.js'
import type { ShapeFunction } from '../../src/shape/shapeFunction.js'
import { is, not } from './conditions.js'
import { option, type Field } from './recipe.js'

/*
 * Residual networks as hybrids use them: without pooling and head, they make the feature map that a
 * transformer reads. "Deep Residual Learning" (He et al., 2015, arXiv 1512.03385), in two later forms.
 */

/** Sizes of a residual network of bottleneck blocks. */
export interface ResnetConfig {
  /** Blocks of each stage; the first stage keeps the size of the map, others halve it. */
  readonly stageDepths?: readonly number[]
  /** Channels that leave each stage (default 256, 512, 1024, 2048). */
  readonly stageDims?: readonly number[]
  /** Channels of the stem (default 64). */
  readonly stemDim?: number
}

/** The shape function of a stage: `⌈size / stride⌉` places each way, `D` channels. */
export interface Stage<D extends number, S extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, number]
    ? readonly [Positions<H, 1, S, 'same'>, Positions<W, 1, S, 'same'>, D]
    : Expects<'expectsImage', 'conv2d', this['in']>
}

type Depths<C> = C extends { readonly stageDepths: infer D extends readonly number[] } ? D : readonly []
type Dims<C> = Field<C, 'stageDims', readonly [256, 512, 1024, 2048]>
/** What stages amount to, said at once: following their forty layers one by one would cost the compiler ten times as much. */
type StagesOf<C> = number extends Depths<C>['length'] ? readonly [Layer<Stage<number, number>>] : OneByOne<Depths<C>, Dims<C>>
type OneByOne<Depths extends readonly number[], Dims> = { readonly [I in keyof Depths]: Layer<Stage<Dims[I & keyof Dims] & number, I extends '0' ? 1 : 2>> }

/** A block's place, and what it makes of what arrives. */
interface BlockSizes {
  readonly isFirst: boolean
  readonly dim: number
  /** Channels that arrive. */
  readonly before: number
  readonly stride: 1 | 2
}

/** The stages of a network: in each a block that changes the shape, and others that keep it. */
const stagesOf = <const C extends ResnetConfig>(config: C, stage: (index: number, blocks: AnyLayer) => AnyLayer, block: (sizes: BlockSizes) => AnyLayer): StagesOf<C> => {
  const { stageDepths = [], stageDims = [256, 512, 1024, 2048], stemDim = 64 } = config
  return stageDepths.map((depth, i) => {
    const dim = stageDims[i] as number
    const first = block({ isFirst: true, dim, before: i === 0 ? stemDim : (stageDims[i - 1] as number), stride: i === 0 ? 1 : 2 })
    const others = Array.from({ length: Math.max(0, depth - 1) }, (_, j) => named(String(j + 1), block({ isFirst: false, dim, before: dim, stride: 1 })))
    return stage(i, serial(named('0', first), ...others))
  }) as readonly AnyLayer[] as StagesOf<C>
}

// ── ResNet v2 without its pre-activation, as Google's hybrids have it ───────────────────────────────

/** Options of {@link resnetV2}. */
export interface ResnetV2Config extends ResnetConfig {
  /** A 7×7 convolution, or three of 3×3 in its place (default `simple`). */
  readonly stem?: 'simple' | 'deep' | 'tiered'
  /** `same` as in TensorFlow, or `symmetric` as in PyTorch (default `same`). */
  readonly padding?: 'same' | 'symmetric'
  /** That of the stem's pooling (default: the same). */
  readonly poolPadding?: 'same' | 'symmetric'
  /** Groups of the norms (default 32). */
  readonly numGroups?: number
  readonly normEpsilon?: number
  /** The epsilon of standardised weights (default 1e-8). */
  readonly convEpsilon?: number
  /** Channels inside a block as a part of those that leave it, rounded to eights (default 0.25). */
  readonly bottleneckRatio?: number
}

/** With an odd window both conventions give `⌈size / stride⌉` positions, so the type of one serves for both. */
const paddingOf = (padding: 'same' | 'symmetric' | undefined, window: number): 'same' => (padding === 'symmetric' ? Math.floor(window / 2) : 'same') as 'same'

const convV2 = <const D extends number, const K extends number, const S extends number = 1>(config: ResnetV2Config, dim: D, kernelSize: K, stride: S = 1 as S) =>
  stdConv2d({ dim, kernelSize, stride, padding: paddingOf(config.padding, kernelSize), epsilon: config.convEpsilon ?? 1e-8 })

const normV2 = <const C extends ResnetV2Config>(config: C, activation?: 'relu') =>
  groupNorm({ numGroups: option(config, 'numGroups', 32), epsilon: config.normEpsilon ?? 1e-5, ...(activation === undefined ? {} : { activation }) })

const stemV2 = <const C extends ResnetV2Config>(config: C) => {
  const dim = option(config, 'stemDim', 64)
  const norm = () => normV2(config, 'relu')
  const half = Math.floor(dim / 2)
  const simple = is(option(config, 'stem', 'simple'), 'simple')
  return serial(
    when(simple, serial(named('conv', convV2(config, dim, 7, 2)), named('norm', norm()))),
    when(not(simple), serial(
      named('conv1', convV2(config, config.stem === 'tiered' ? Math.floor((3 * dim) / 8) : half, 3, 2)), named('norm1', norm()),
      named('conv2', convV2(config, half, 3)), named('norm2', norm()),
      named('conv3', convV2(config, dim, 3)), named('norm3', norm()),
    )),
    named('pool', maxPool({ size: 3, stride: 2, padding: paddingOf(config.poolPadding ?? config.padding, 3) })),
  )
}

/** The nearest multiple of 8, unless 10 % are lost by it: timm's rounding of channels, after MobileNet. */
export const roundedChannels = (channels: number): number => {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}

/** The first block of a stage always has a convolution in its shortcut, even where it strides nothing. */
const blockV2 = (config: ResnetV2Config, { isFirst, dim, stride }: BlockSizes): AnyLayer => {
  const width = roundedChannels(dim * (config.bottleneckRatio ?? 0.25))
  const norm = () => normV2(config, 'relu')
  const branch = serial(
    named('conv1', convV2(config, width, 1)), named('norm1', norm()),
    named('conv2', convV2(config, width, 3, stride)), named('norm2', norm()),
    named('conv3', convV2(config, dim, 1)), named('norm3', normV2(config)),
  )
  const shortcut = named('downsample', serial(named('conv', convV2(config, dim, 1, stride)), named('norm', normV2(config))))
  return serial(isFirst ? residual(branch, shortcut) : residual(branch), relu())
}

/**
 * The ResNet of Google's hybrids (Kolesnikov et al., 2019, "Big Transfer", arXiv 1912.11370, but with norms after
 * convolutions): standardised weights and group norms. `[height, width, channels] → [rows, columns, dim]`, with
 * rows and columns 4, 8, 16 or 32 times fewer, rounded up; without `stageDepths`, the stem alone: 4 times.
 *
 * Errors: those of `stdConv2d` and `groupNorm`.
 *
 * @example
 * pipe(input(224, 224, 3), resnetV2({ stageDepths: [3, 4, 9] })) // Model<[224, 224, 3], [14, 14, 1024]>
 */
export const resnetV2 = <const C extends ResnetV2Config>(config: C) => {
  const none = is((config.stageDepths ?? []).length as Depths<C>['length'], 0)
  const all = stagesOf(config, (_, blocks) => named('blocks', blocks), sizes => blockV2(config, sizes))
  return serial(when(none, stemV2(config)), when(not(none), serial(named('stem', stemV2(config)), stages(...all))))
}

// ── ResNet-D ────────────────────────────────────────────────────────────────────────────────────────

const convD = <const D extends number, const K extends number, const S extends number = 1>(dim: D, kernelSize: K, stride: S = 1 as S) =>
  conv2d({ dim, kernelSize, stride, padding: paddingOf('symmetric', kernelSize), bias: false })

const stemD = <const C extends ResnetConfig>(config: C) => {
  const dim = option(config, 'stemDim', 64)
  const half = Math.floor(dim / 2)
  return serial(
    named('conv1', serial(
      named('0', convD(half, 3, 2)), named('1', batchNorm()), named('2', relu()),
      named('3', convD(half, 3)), named('4', batchNorm()), named('5', relu()),
      named('6', convD(dim, 3)),
    )),
    named('bn1', batchNorm()), named('act1', relu()),
    named('maxpool', maxPool({ size: 3, stride: 2, padding: 1 })),
  )
}

const blockD = ({ dim, before, stride }: BlockSizes): AnyLayer => {
  const width = Math.floor(dim / 4)
  const branch = serial(
    named('conv1', convD(width, 1)), named('bn1', batchNorm()), named('act1', relu()),
    named('conv2', convD(width, 3, stride)), named('bn2', batchNorm()), named('act2', relu()),
    named('conv3', convD(dim, 1)), named('bn3', batchNorm()),
  )
  const pool = averagePool({ size: 2, padding: 'same', countPadding: false })
  const shortcut = named('downsample', serial(named('0', stride === 1 ? identity() : pool), named('1', convD(dim, 1)), named('2', batchNorm())))
  return serial(stride === 1 && before === dim ? residual(branch) : residual(branch, shortcut), named('act3', relu()))
}

/**
 * ResNet-D (He et al., 2018, "Bag of Tricks", arXiv 1812.01187, section 4.2): batch norms, a stem of three
 * convolutions, shortcuts that stride by pooling. `[height, width, channels] → [rows, columns, dim]`, with rows and
 * columns 4, 8, 16 or 32 times fewer, rounded up.
 *
 * @example
 * pipe(input(224, 224, 3), resnetD({ stageDepths: [3, 4, 6] })) // Model<[224, 224, 3], [14, 14, 1024]>
 */
export const resnetD = <const C extends ResnetConfig>(config: C) => serial(stemD(config), ...stagesOf(config, (i, blocks) => named(`layer${i + 1}`, blocks), blockD))
