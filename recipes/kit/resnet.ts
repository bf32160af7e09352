import { averagePool, batchNorm, conv2d, groupNorm, identity, maxPool, named, relu, residual, serial, stages, stdConv2d, when } from '../../src/index.js'
import type { AnyLayer, Layer } from '../../src/layers/core/layer.js'
import type { Positions } from '../../src/layers/core/padding.js'
import type { Expects } from '../../src/shape/shapeError.js'
import type { ShapeFunction } from '../../src/shape/shapeFunction.js'
import { is, isLess, not } from './conditions.js'
import { option, type Field } from './recipe.js'

/*
 * Residual networks as hybrids use them: without pooling and head, they make the feature map that a
 * transformer reads. "Deep Residual Learning" (He et al., 2015, arXiv 1512.03385), in two later forms.
 */

/** Sizes of a residual network of bottleneck blocks. */
export interface ResnetConfig {
  /** Blocks of each stage, of at most four; the first stage keeps the size of the map, others halve it. */
  readonly stageDepths?: readonly number[]
  /** Channels that leave each stage (default 256, 512, 1024, 2048). */
  readonly stageDims?: readonly number[]
  /** Channels of the stem (default 64). */
  readonly stemDim?: number
}

type Depths<C> = Field<C, 'stageDepths', readonly []> & readonly number[]
const stageCount = <const C extends ResnetConfig>(config: C): Depths<C>['length'] => (config.stageDepths ?? []).length

type Dims<C> = Field<C, 'stageDims', readonly [256, 512, 1024, 2048]> & readonly number[]
const dimOf = <const C extends ResnetConfig, const I extends number>({ stageDims = [256, 512, 1024, 2048] }: C, stage: I): Dims<C>[I] => stageDims[stage] as Dims<C>[I]

/** The shape function of a stage: `⌈size / stride⌉` places each way, `D` channels. */
export interface Stage<D extends number, S extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, number]
    ? readonly [Positions<H, 1, S, 'same'>, Positions<W, 1, S, 'same'>, D]
    : Expects<'expectsImage', 'conv2d', this['in']>
}

/**
 * A block that changes the shape, and others that keep it. Its type says at once what its parts amount to:
 * following forty layers one by one would cost the compiler ten times as much.
 */
const stage = <D extends number, S extends number>(_dim: D, _stride: S, depth: number, first: AnyLayer, other: () => AnyLayer): Layer<Stage<D, S>> =>
  serial(named('0', first), ...Array.from({ length: Math.max(0, depth - 1) }, (_, i) => named(String(i + 1), other()))) as AnyLayer as Layer<Stage<D, S>>

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
const paddingV2 = (padding: ResnetV2Config['padding'], window: number): 'same' => (padding === 'symmetric' ? Math.floor(window / 2) : 'same') as 'same'

const convV2 = <const D extends number, const K extends number, const S extends number = 1>(config: ResnetV2Config, dim: D, kernelSize: K, stride: S = 1 as S) =>
  stdConv2d({ dim, kernelSize, stride, padding: paddingV2(config.padding, kernelSize), epsilon: config.convEpsilon ?? 1e-8 })

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
    named('pool', maxPool({ size: 3, stride: 2, padding: paddingV2(config.poolPadding ?? config.padding, 3) })),
  )
}

/** The nearest multiple of 8, unless 10 % are lost by it: timm's rounding of channels, after MobileNet. */
export const roundedChannels = (channels: number): number => {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}

const blockV2 = (config: ResnetV2Config, dim: number, stride: number, shortcut: AnyLayer): AnyLayer => {
  const width = roundedChannels(dim * (config.bottleneckRatio ?? 0.25))
  const norm = () => normV2(config, 'relu')
  const branch = serial(
    named('conv1', convV2(config, width, 1)), named('norm1', norm()),
    named('conv2', convV2(config, width, 3, stride)), named('norm2', norm()),
    named('conv3', convV2(config, dim, 1)), named('norm3', normV2(config)),
  )
  return serial(residual(branch, shortcut), relu())
}

const stageV2 = <const C extends ResnetV2Config, const I extends number, const S extends number>(config: C, index: I, stride: S) => {
  const dim = dimOf(config, index)
  const shortcut = named('downsample', serial(named('conv', convV2(config, dim, 1, stride)), named('norm', normV2(config))))
  const blocks = stage(dim, stride, config.stageDepths?.[index] ?? 0, blockV2(config, dim, stride, shortcut), () => blockV2(config, dim, 1, identity()))
  return when(isLess(index, stageCount(config)), named('blocks', blocks))
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
  const none = is(stageCount(config), 0)
  return serial(
    when(none, stemV2(config)),
    when(not(none), serial(named('stem', stemV2(config)), stages(stageV2(config, 0, 1), stageV2(config, 1, 2), stageV2(config, 2, 2), stageV2(config, 3, 2)))),
  )
}

// ── ResNet-D ────────────────────────────────────────────────────────────────────────────────────────

const convD = <const D extends number, const K extends number, const S extends number = 1>(dim: D, kernelSize: K, stride: S = 1 as S) =>
  conv2d({ dim, kernelSize, stride, padding: Math.floor(kernelSize / 2) as unknown as 'same', bias: false })

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

const blockD = (dim: number, stride: number, shortcut: AnyLayer): AnyLayer => {
  const width = Math.floor(dim / 4)
  const branch = serial(
    named('conv1', convD(width, 1)), named('bn1', batchNorm()), named('act1', relu()),
    named('conv2', convD(width, 3, stride)), named('bn2', batchNorm()), named('act2', relu()),
    named('conv3', convD(dim, 1)), named('bn3', batchNorm()),
  )
  return serial(residual(branch, shortcut), named('act3', relu()))
}

const stageD = <const C extends ResnetConfig, const I extends number, const S extends number, const N extends string>(config: C, index: I, stride: S, before: number, name: N) => {
  const dim = dimOf(config, index)
  const strides = (stride as number) > 1
  const shortcut = when(strides || before !== dim, named('downsample', serial(
    named('0', when(strides, averagePool({ size: 2, padding: 'same', countPadding: false }))),
    named('1', convD(dim, 1)), named('2', batchNorm()),
  )))
  const blocks = stage(dim, stride, config.stageDepths?.[index] ?? 0, blockD(dim, stride, shortcut), () => blockD(dim, 1, identity()))
  return when(isLess(index, stageCount(config)), named(name, blocks))
}

/**
 * ResNet-D (He et al., 2018, "Bag of Tricks", arXiv 1812.01187, section 4.2): batch norms, a stem of three
 * convolutions, shortcuts that stride by pooling. `[height, width, channels] → [rows, columns, dim]`, with rows and
 * columns 4, 8, 16 or 32 times fewer, rounded up.
 *
 * @example
 * pipe(input(224, 224, 3), resnetD({ stageDepths: [3, 4, 6] })) // Model<[224, 224, 3], [14, 14, 1024]>
 */
export const resnetD = <const C extends ResnetConfig>(config: C) =>
  serial(
    stemD(config),
    stageD(config, 0, 1, option(config, 'stemDim', 64), 'layer1'), stageD(config, 1, 2, dimOf(config, 0), 'layer2'),
    stageD(config, 2, 2, dimOf(config, 1), 'layer3'), stageD(config, 3, 2, dimOf(config, 2), 'layer4'),
  )
