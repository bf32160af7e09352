import type { Activation } from '../../layers/core/activation.js'
import type { BlockPadding, PoolKind } from '../../layers/core/halving.js'
import type { NormKind } from '../../layers/core/normalisation.js'
import type { Downsample2dConfig } from '../../layers/downsample2d.js'
import type { EncoderBlockConfig } from '../../layers/encoderBlock.js'
import type { MbConvConfig, StrideMode } from '../../layers/mbConv.js'
import type { TransformerBlock2dConfig } from '../../layers/transformerBlock2d.js'
import { activate } from './activations.js'
import { relativelyAttended, selfAttention } from './attention.js'
import { batchNormed, layerNormed, onArray, perceptron, rmsNormed, scaled } from './channels.js'
import { convolved, excited, largest, pooled } from './maps.js'
import { each, meanOf, plus, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// Composite layers, each step by step from the paper or from timm, not from the layers ours are made of.

/** Dosovitskiy et al., 2020, equations 2 and 3; `post` as in Vaswani et al., 2017. */
export const encoderBlock = (place: Place, config: EncoderBlockConfig<number>): Run => {
  const { mlpRatio = 4, mlpBias = true, activation = 'gelu', normPlacement = 'pre', norm = 'layerNorm', epsilon = 1e-6, layerScale, branchDivisor = 1 } = config
  const attention = selfAttention(place.at('attn'), { ...config, ...(config.attentionScale === undefined ? {} : { scale: config.attentionScale }) })
  const normed = (x: Numbers, i: 1 | 2): Numbers => (norm === 'layerNorm' ? layerNormed : rmsNormed)(x, place.at(`norm${i}`), epsilon)
  const finished = (x: Numbers, i: 1 | 2): Numbers => each(layerScale === undefined ? x : scaled(x, place.at(`ls${i}`)), value => value / branchDivisor)
  return (signal, window) => {
    const x = signal as Numbers
    const attend = (t: Numbers): Numbers => finished(attention(t, window) as Numbers, 1)
    const think = (t: Numbers): Numbers => finished(perceptron(t, place.at('mlp'), Math.floor(x.shape[1]! * mlpRatio), activation, mlpBias), 2)
    if (normPlacement === 'post') {
      const middle = normed(plus(x, attend(x)), 1)
      return normed(plus(middle, think(middle)), 2)
    }
    const middle = plus(x, attend(normed(x, 1)))
    return plus(middle, think(normed(middle, 2)))
  }
}

/** timm's `Downsample2d`: pools of 2 side by side, or of 3 with a border; zeros of `same` count, others do not. */
const halved = (x: Numbers, kind: PoolKind, padding: BlockPadding): Numbers => {
  const size = kind.endsWith('2') ? 2 : 3
  const border = padding === 'same' ? 'same' : size === 2 ? 0 : 1
  const mean = (inside: readonly number[]): number => meanOf(inside) * (padding === 'same' ? inside.length / size ** 2 : 1)
  return pooled(x, size, 2, border, kind.startsWith('max') ? largest : mean)
}

const pointwise = (x: Numbers, place: Place, dim: number, bias: boolean, stride = 1): Numbers =>
  convolved(x, place.weight('weight', dim, x.shape[2]!, 1, 1), bias ? place.weight('bias', dim) : undefined, [stride, stride], 0)

const downsampled = (x: Numbers, place: Place, { dim = x.shape[2]!, pool = 'average2', padding = 'symmetric', bias = true }: Downsample2dConfig<number, PoolKind, BlockPadding>): Numbers => {
  const small = halved(x, pool, padding)
  return dim === x.shape[2] ? small : pointwise(small, place.at('expand'), dim, bias)
}

export const downsample2d = (place: Place, config: Downsample2dConfig<number, PoolKind, BlockPadding> = {}): Run => onArray(x => downsampled(x, place, config))

const mapNormed = (x: Numbers, place: Place, kind: NormKind, epsilon: number): Numbers => (kind === 'batchNorm' ? batchNormed : layerNormed)(x, place, epsilon)

/** timm's `make_divisible` to eights. */
const toEights = (channels: number, least: number): number => {
  const rounded = Math.max(8, 8 * Math.floor(channels / 8 + 0.5))
  return rounded < least * channels ? rounded + 8 : rounded
}

/** timm's `MbConvBlock`: norm, expand, convolve channel by channel, project. */
export const mbConv = (place: Place, config: MbConvConfig<number, number, PoolKind, StrideMode, PoolKind, BlockPadding>): Run =>
  onArray(x => {
    const { dim, stride = 1, expansion = 4, expandFrom = 'output', kernelSize = 3, groupSize = 1, strideMode = 'depthwise', pool = 'average2', branchPool = 'average2', padding = 'symmetric' } = config
    const { preActivation = false, activation = 'gelu', excite = 'late', exciteRatio = 0.25, exciteActivation = 'silu', norm = 'batchNorm', epsilon = 1e-5, outputBias = true } = config
    const inner = toEights((expandFrom === 'output' ? dim : x.shape[2]!) * expansion, 0.9)
    const hidden = Math.floor(exciteRatio * (expandFrom === 'output' ? dim : inner)) || toEights(inner / 16, 0)
    const normed = (t: Numbers, name: string, active: boolean): Numbers => {
      const y = mapNormed(t, place.at(name), norm, epsilon)
      return active ? each(y, activate[activation]) : y
    }
    let y = normed(x, 'pre_norm', preActivation)
    if (stride === 2 && strideMode === 'pool') y = halved(y, branchPool, padding)
    y = normed(pointwise(y, place.at('conv1_1x1'), inner, false, strideMode === 'pointwise' ? stride : 1), 'norm1', true)
    const inGroup = groupSize === 0 ? inner : groupSize
    const kernels = place.weight('conv2_kxk.weight', inner, inGroup, kernelSize, kernelSize)
    const step = strideMode === 'depthwise' ? stride : 1
    y = convolved(y, kernels, undefined, [step, step], padding === 'same' ? 'same' : (kernelSize - 1) / 2, inner / inGroup)
    if (excite === 'early') y = excited(y, place.at('se_early'), hidden, exciteActivation)
    y = normed(y, 'norm2', true)
    if (excite === 'late') y = excited(y, place.at('se'), hidden, exciteActivation)
    y = pointwise(y, place.at('conv3_1x1'), dim, outputBias)
    return plus(y, stride === 2 ? downsampled(x, place.at('shortcut'), { dim, pool, padding, bias: outputBias }) : x)
  })

/** timm's `TransformerBlock2d`. */
export const transformerBlock2d = (place: Place, config: TransformerBlock2dConfig<number, number, number, boolean, PoolKind>): Run =>
  onArray(x => {
    const { dim, stride = 1, headDim = 32, expandFirst = true, pool = 'average2', shortcutBias = true, attentionBias = true, mlpRatio = 4, positions = 'table', positionDim = 512 } = config
    const { layerScale, activation = 'gelu', norm = 'layerNorm', epsilon = 1e-6 } = config
    const finished = (t: Numbers, i: 1 | 2): Numbers => (layerScale === undefined ? t : scaled(t, place.at(`ls${i}`)))
    const front = stride === 2 ? halved(mapNormed(x, place.at('norm1.norm'), norm, epsilon), pool, 'symmetric') : mapNormed(x, place.at('norm1'), norm, epsilon)
    const shortcut = stride === 2 ? downsampled(x, place.at('shortcut'), { dim, pool, bias: shortcutBias }) : x
    const attended = relativelyAttended(front, place.at('attn'), { dim, headDim, expandFirst, bias: attentionBias, positions, positionDim })
    const middle = plus(shortcut, finished(attended, 1))
    return plus(middle, finished(pointMlp(mapNormed(middle, place.at('norm2'), norm, epsilon), place.at('mlp'), Math.floor(dim * mlpRatio), activation), 2))
  })

const pointMlp = (x: Numbers, place: Place, hidden: number, activation: Activation): Numbers =>
  pointwise(each(pointwise(x, place.at('fc1'), hidden, true), activate[activation]), place.at('fc2'), x.shape[2]!, true)
