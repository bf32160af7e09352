import { isPointwise } from '../../ops/images.js'
import { valueShape, type Tensor } from '../../ops/tensor.js'
import { sizeOf } from '../../shape/shape.js'
import type { Lowering, Lowerings } from '../tfjs/lowering.js'
import { lowerings as shared } from '../tfjs/lowerings.js'
import { begin, channelsInside, channelsLast, isDepthwise } from './convolutions.js'
import { activationNames } from './activationNames.js'

/** Neighbouring axes in order, which one pass can sum. */
const areNeighbours = (axes: readonly number[]): boolean => axes.length > 0 && axes.every((axis, i) => i === 0 || axis === axes[i - 1]! + 1)

const summed = <K extends 'sum' | 'mean'>(scaleOf: (node: Tensor<K>) => number): Lowering<K> => ({
  needs: ['VitrailSum', 'Reshape'],
  fits: node => areNeighbours(node.attributes.axes),
  run: (w, [x], node, batch) => w.reshape(w.call('VitrailSum', { x }, { axis: node.attributes.axes[0]! + 1, count: node.attributes.axes.length, scale: scaleOf(node) }), valueShape(node, batch)),
})

const overAllSamples = <K extends 'batchSum' | 'batchMean'>(scaleOf: (batch: number) => number): Lowering<K> => ({
  needs: ['VitrailSum', 'Reshape'],
  run: (w, [x], node) => w.reshape(w.call('VitrailSum', { x }, { axis: 0, count: 1, scale: scaleOf(x!.shape[0]!) }), [1, ...node.shape]),
})

const inputGradients: Lowerings['conv2dInputGradient'] = [
  {
    needs: ['VitrailMatMul', 'Reshape'],
    fits: node => isPointwise(node.attributes, node.inputs[1]!.shape.slice(2)),
    run: (w, [dy, weight], node, batch) => {
      const [out, inner] = weight!.shape.slice(1) as [number, number]
      return w.reshape(w.call('VitrailMatMul', { a: w.reshape(dy!, [sizeOf(dy!.shape) / out, out]), b: w.reshape(weight!, [out, inner]) }), valueShape(node, batch))
    },
  },
  {
    needs: ['VitrailDepthwiseInputGradient', 'VitrailTranspose', 'Reshape'],
    fits: ({ attributes, shape, inputs }) => isDepthwise(attributes, shape[2]!, inputs[1]!.shape[0]!),
    run: (w, [dy, weight], { attributes, shape }) => w.call('VitrailDepthwiseInputGradient', { dy, filter: channelsInside(w, weight!) }, { image: shape.slice(0, 2), strides: attributes.strides, begin: begin(attributes) }),
  },
  {
    needs: ['VitrailConvolutionInputGradient', 'VitrailTranspose', 'Reshape'],
    run: (w, [dy, weight], { attributes, shape }) => w.call('VitrailConvolutionInputGradient', { dy, filter: channelsLast(w, weight!) }, { image: shape.slice(0, 2), strides: attributes.strides, begin: begin(attributes), groups: attributes.groups }),
  },
]

const weightGradients: Lowerings['conv2dWeightGradient'] = [
  {
    needs: ['VitrailWeightGradient', 'Reshape'],
    fits: node => isPointwise(node.attributes, node.shape.slice(2)),
    run: (w, [x, dy], node) => w.reshape(w.call('VitrailWeightGradient', { x, dy }), [1, ...node.shape]),
  },
  {
    needs: ['VitrailDepthwiseWeightGradient', 'VitrailTranspose', 'Reshape'],
    fits: ({ attributes, shape, inputs }) => isDepthwise(attributes, inputs[0]!.shape[2]!, shape[0]!),
    run: (w, [x, dy], { attributes, shape }) => {
      const [channels, , height, width] = shape as [number, number, number, number]
      const filters = w.call('VitrailDepthwiseWeightGradient', { x, dy }, { size: [height, width], strides: attributes.strides, begin: begin(attributes) })
      return w.reshape(w.call('VitrailTranspose', { x: w.reshape(filters, [height * width, channels]) }, { perm: [1, 0] }), [1, ...shape])
    },
  },
  {
    needs: ['VitrailConvolutionWeightGradient', 'VitrailTranspose', 'Reshape'],
    run: (w, [x, dy], { attributes, shape }) => {
      const filters = w.call('VitrailConvolutionWeightGradient', { x, dy }, { size: shape.slice(2), strides: attributes.strides, begin: begin(attributes), groups: attributes.groups })
      return w.reshape(w.call('VitrailTranspose', { x: filters }, { perm: [0, 3, 1, 2] }), [1, ...shape])
    },
  },
]

/**
 * What a backward pass needs, in kernels of our own. tfjs's wasm backend lacks the gradients of filters, and pools
 * backward wrongly where windows overlap: where ours cannot run, those two are refused.
 */
export const lowerings = {
  sum: [summed<'sum'>(() => 1), ...shared.sum],
  mean: [summed<'mean'>(({ attributes: { axes }, inputs: [x] }) => 1 / axes.reduce((n, axis) => n * x!.shape[axis]!, 1)), ...shared.mean],
  batchSum: [overAllSamples<'batchSum'>(() => 1), ...shared.batchSum],
  batchMean: [overAllSamples<'batchMean'>(batch => 1 / batch), ...shared.batchMean],
  geluGradient: [{ needs: ['VitrailGeluGradient'], overwrites: 2, run: (w, [x, dy], { attributes: { form } }) => w.call('VitrailGeluGradient', { x, dy }, { fn: activationNames[form] }) }, ...shared.geluGradient],
  softmaxGradient: [{ needs: ['VitrailSoftmaxGradient'], overwrites: 2, run: (w, [y, dy]) => w.call('VitrailSoftmaxGradient', { y, dy }) }, ...shared.softmaxGradient],
  layerNormGradient: [
    {
      needs: ['VitrailLayerNormGradient', 'Reshape'],
      overwrites: 2,
      run: (w, [x, dy, gamma], { attributes: { epsilon } }) => w.call('VitrailLayerNormGradient', { x, dy, ...(gamma === undefined ? {} : { gamma: w.reshape(gamma, gamma.shape.slice(1)) }) }, { epsilon }),
    },
    ...shared.layerNormGradient,
  ],
  linearWeightGradient: [{ needs: ['VitrailWeightGradient', 'Reshape'], run: (w, [x, dy], node) => w.reshape(w.call('VitrailWeightGradient', { x, dy }), [1, ...node.shape]) }, ...shared.linearWeightGradient],
  conv2dInputGradient: [...inputGradients, ...shared.conv2dInputGradient],
  conv2dWeightGradient: [...weightGradients, ...shared.conv2dWeightGradient],
  maxPoolGradient: [
    {
      needs: ['VitrailMaxPoolGradient'],
      run: (w, [x, dy], { attributes: { size, strides, padding } }) => w.call('VitrailMaxPoolGradient', { x, dy }, { size, strides, begin: [padding[0][0], padding[1][0]] }),
    },
  ],
} satisfies Partial<Lowerings>
