import type { TensorInfo } from '@tensorflow/tfjs-core'
import { isPointwise } from '../../ops/images.js'
import type { Convolution, Pooling, Tensor } from '../../ops/tensor.js'
import type { Lowering, Lowerings } from '../tfjs/lowering.js'
import type { Workspace } from '../tfjs/workspace.js'

/** A filter a channel. */
export const isDepthwise = ({ groups }: Convolution, channels: number, out: number): boolean => groups === channels && out === channels
/** The zeros above and to the left. */
export const begin = ({ padding }: Convolution | Pooling): readonly [number, number] => [padding[0][0], padding[1][0]]

/** PyTorch's `[out, in/groups, height, width]` to `[out, height, width, in/groups]`. */
export const channelsLast = (w: Workspace, weight: TensorInfo): TensorInfo => w.call('VitrailTranspose', { x: w.reshape(weight, weight.shape.slice(1)) }, { perm: [0, 2, 3, 1] })
/** A filter a channel, `[channels, 1, height, width]`, to `[height, width, channels]`. */
export const channelsInside = (w: Workspace, weight: TensorInfo): TensorInfo => {
  const [, channels, , height, width] = weight.shape as [number, number, number, number, number]
  return w.reshape(w.call('VitrailTranspose', { x: w.reshape(weight, [channels, height * width]) }, { perm: [1, 0] }), [height, width, channels])
}

const flatBias = (w: Workspace, bias: TensorInfo | undefined): { readonly bias?: TensorInfo } => (bias === undefined ? {} : { bias: w.reshape(bias, bias.shape.slice(1)) })
const resultOf = (node: Tensor): readonly number[] => node.shape.slice(0, 2)

const linear: Lowering<'conv2d'> = {
  needs: ['VitrailPack', 'VitrailLinear', 'Reshape'],
  fits: node => isPointwise(node.attributes, node.inputs[1]!.shape.slice(2)),
  adapt: { input: 1, make: (w, weight) => w.call('VitrailPack', { w: w.reshape(weight, weight.shape.slice(1, 3)) }, { transposed: true }) },
  run: (w, [x, packed, bias], node) => w.call('VitrailLinear', { x, packed, ...flatBias(w, bias) }, { n: node.shape[2], activation: 'none' }),
}

const depthwise: Lowering<'conv2d'> = {
  needs: ['VitrailDepthwise', 'VitrailTranspose', 'Reshape'],
  fits: ({ attributes, shape, inputs }) => isDepthwise(attributes, inputs[0]!.shape[2]!, shape[2]!),
  adapt: { input: 1, make: channelsInside },
  run: (w, [x, filter, bias], node) => w.call('VitrailDepthwise', { x, filter, ...flatBias(w, bias) }, { result: resultOf(node), strides: node.attributes.strides, begin: begin(node.attributes) }),
}

const general: Lowering<'conv2d'> = {
  needs: ['VitrailConvolution', 'VitrailPackFilters', 'VitrailTranspose', 'Reshape'],
  adapt: { input: 1, make: (w, weight, { attributes: { groups } }) => w.call('VitrailPackFilters', { filter: channelsLast(w, weight) }, { groups }) },
  run: (w, [x, packed, bias], { attributes, shape, inputs }) =>
    w.call('VitrailConvolution', { x, packed, ...flatBias(w, bias) }, { result: shape.slice(0, 2), out: shape[2], size: inputs[1]!.shape.slice(2), strides: attributes.strides, begin: begin(attributes), groups: attributes.groups }),
}

const pool = <K extends 'maxPool' | 'averagePool'>(kindOf: (node: Tensor<K>) => string): Lowering<K> => ({
  needs: ['VitrailPool'],
  run: (w, [x], node) => w.call('VitrailPool', { x }, { kind: kindOf(node), result: resultOf(node), size: node.attributes.size, strides: node.attributes.strides, begin: begin(node.attributes) }),
})

/** Convolutions and pooling in kernels of our own: no padded copy of the image, filters packed once. */
export const lowerings = {
  conv2d: [linear, depthwise, general],
  maxPool: [pool<'maxPool'>(() => 'max')],
  averagePool: [pool<'averagePool'>(node => (node.attributes.countPadding ? 'mean' : 'meanInside'))],
} satisfies Partial<Lowerings>
