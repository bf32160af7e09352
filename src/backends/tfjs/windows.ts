import type { TensorInfo } from '@tensorflow/tfjs-core'
import { paddingScale } from '../../ops/images.js'
import type { Tensor } from '../../ops/tensor.js'
import type { Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** PyTorch's `[out, in/groups, height, width]` as tfjs wants it: `[height, width, in/groups, out]`. */
export const channelsLast = (w: Workspace, weight: TensorInfo): TensorInfo => w.call('Transpose', { x: w.reshape(weight, weight.shape.slice(1)) }, { perm: [2, 3, 1, 0] })

/** What tfjs's convolution kernels ask for, once the image has been padded. */
export const convolution = (strides: readonly number[]): object => ({ strides: [...strides], pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] })

/** Padding first, because not every backend takes explicit padding; one convolution a group. */
export const conv2d: Lowering<'conv2d'> = {
  needs: ['Conv2D', 'Transpose', 'PadV2', 'Add', 'Slice', 'Concat'],
  adapt: { input: 1, make: channelsLast },
  run: (w, [x, filter, bias], node) => {
    const { strides, groups } = node.attributes
    const image = padded(w, x!, node)
    const attrs = convolution(strides)
    const [height, width, perGroup, out] = filter!.shape as [number, number, number, number]
    const [batch, rows, columns] = image.shape as [number, number, number]
    const group = (i: number): TensorInfo =>
      w.call('Conv2D', {
        x: w.call('Slice', { x: image }, { begin: [0, 0, 0, i * perGroup], size: [batch, rows, columns, perGroup] }),
        filter: w.call('Slice', { x: filter! }, { begin: [0, 0, 0, (i * out) / groups], size: [height, width, perGroup, out / groups] }),
      }, attrs)
    if (groups === 1 && w.has('FusedConv2D')) return w.call('FusedConv2D', { x: image, filter, ...(bias === undefined ? {} : { bias: w.reshape(bias, [out]) }) }, { ...attrs, activation: 'linear' })
    const result = groups === 1 ? w.call('Conv2D', { x: image, filter }, attrs) : w.call('Concat', Array.from({ length: groups }, (_, i) => group(i)), { axis: 3 })
    return bias === undefined ? result : w.call('Add', { a: result, b: w.reshape(bias, [out]) })
  },
}

/** PyTorch's `[in·multiplier, 1, height, width]` as `[height, width, in, multiplier]`. */
export const depthwise = (w: Workspace, weight: TensorInfo, channels: number): TensorInfo => {
  const [, out, , height, width] = weight.shape as [number, number, number, number, number]
  return w.call('Transpose', { x: w.reshape(weight, [channels, out / channels, height, width]) }, { perm: [2, 3, 0, 1] })
}

/** One filter (or a few) for each channel. */
export const depthwiseConv2d: Lowering<'conv2d'> = {
  needs: ['DepthwiseConv2dNative', 'Transpose', 'Reshape', 'PadV2', 'Add'],
  fits: node => node.attributes.groups > 1 && node.attributes.groups === node.inputs[0]!.shape[2],
  adapt: {
    input: 1,
    make: (w, weight, node) => depthwise(w, weight, node.attributes.groups),
  },
  run: (w, [x, filter, bias], node) => {
    const [image, flat, attrs] = [padded(w, x!, node), bias === undefined ? undefined : w.reshape(bias, bias.shape.slice(1)), convolution(node.attributes.strides)]
    if (flat !== undefined && w.has('FusedDepthwiseConv2D')) return w.call('FusedDepthwiseConv2D', { x: image, filter, bias: flat }, { ...attrs, activation: 'linear' })
    const result = w.call('DepthwiseConv2dNative', { x: image, filter }, attrs)
    return flat === undefined ? result : w.call('Add', { a: result, b: flat })
  },
}

/** An image with the padding around it that its node says. */
export const padded = (w: Workspace, x: TensorInfo, node: Tensor<'conv2d' | 'conv2dWeightGradient' | 'maxPool' | 'averagePool' | 'maxPoolGradient'>, constantValue = 0): TensorInfo => {
  const [[top, bottom], [left, right]] = node.attributes.padding
  return top + bottom + left + right === 0 ? x : w.call('PadV2', { x }, { paddings: [[0, 0], [top, bottom], [left, right], [0, 0]], constantValue })
}

/** What tfjs's pooling kernels ask for, once the image has been padded. */
export const windows = (node: Tensor<'maxPool' | 'averagePool' | 'maxPoolGradient'>): object => ({ filterSize: [...node.attributes.size], strides: [...node.attributes.strides], pad: 'valid', dimRoundingMode: undefined })

/** Padding counts as the smallest float, which no maximum of real values is. */
export const maxPool: Lowering<'maxPool'> = {
  needs: ['MaxPool', 'PadV2'],
  run: (w, [x], node) => w.call('MaxPool', { x: padded(w, x!, node, -3.4e38) }, windows(node)),
}

/** Means over padded windows count the zeros; where they must not, each place is scaled by what the zeros took. */
export const averagePool: Lowering<'averagePool'> = {
  needs: ['AvgPool', 'PadV2', 'Multiply'],
  run: (w, [x], node) => {
    const mean = w.call('AvgPool', { x: padded(w, x!, node) }, windows(node))
    if (node.attributes.countPadding || node.attributes.padding.flat().every(size => size === 0)) return mean
    const [rows, columns] = node.shape as [number, number]
    const scale = w.own(w.upload(paddingScale(node), [1, rows, columns, 1], 'float32'))
    return w.call('Multiply', { a: mean, b: scale })
  },
}
