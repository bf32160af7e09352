import type { TensorInfo } from '@tensorflow/tfjs-core'
import { valueShape, type ComputedKind, type Tensor } from '../../ops/tensor.js'
import { sizeOf } from '../../shape/shape.js'
import * as adjoints from './adjoints.js'
import { attention, fusedLinear, linear, matmul, overBatch, packedAttention } from './contractions.js'
import { cut } from './cut.js'
import { gelu } from './gelu.js'
import { averagePool, conv2d, depthwiseConv2d, maxPool } from './windows.js'
import type { Lowering, Lowerings } from './lowering.js'
import { argsort, flatRows, picked } from './rows.js'
import { foldAxes } from './foldAxes.js'
import { tile } from './tile.js'
import { power } from './power.js'
import type { Workspace } from './workspace.js'

/** Kernels broadcast over six axes at most (XNNPACK, and TensorFlow's own): more are folded first. */
const binary = <K extends ComputedKind>(kernel: string): readonly Lowering<K>[] => [
  {
    needs: [kernel, 'Reshape'],
    overwrites: 2,
    fits: node => foldAxes(...(node.inputs.map(x => [batchMark(x), ...x.shape]) as [number[], number[]]))[0].length <= 6,
    run: (w, [a, b], node, batch) => {
      if (node.shape.length < 6) return w.call(kernel, { a, b })
      const [left, right] = foldAxes(a!.shape, b!.shape)
      return w.reshape(w.call(kernel, { a: w.reshape(a!, left), b: w.reshape(b!, right) }), valueShape(node, batch))
    },
  },
]
/** A batch of unknown size: any number that no axis has but 1. */
const batchMark = (x: Tensor): number => (x.batched ? 1e9 + 7 : 1)
const unary = <K extends ComputedKind>(kernel: string): readonly Lowering<K>[] => [{ needs: [kernel], overwrites: 1, run: (w, [x]) => w.call(kernel, { x }) }]

const axesOf = (node: Tensor<'sum' | 'mean' | 'max'>): readonly number[] => node.attributes.axes.map(axis => axis + 1)
/** Kernels differ on `keepDims`; a reshape settles it. */
const reduced = (w: Workspace, x: TensorInfo, node: Tensor, batch: number): TensorInfo => w.reshape(x, valueShape(node, batch))

/** A sum and a division: TensorFlow's own kernel for the mean takes only tensors of the engine. */
const meanOver = (w: Workspace, x: TensorInfo, axes: readonly number[]): TensorInfo => {
  const count = axes.reduce((n, axis) => n * x.shape[axis]!, 1)
  return w.call('Multiply', { a: w.call('Sum', { x }, { axis: [...axes], keepDims: false }), b: w.scalar(1 / count) })
}

/** Two passes (mean, then mean square of what is left), because E[x²] − E[x]² loses rows with a large mean. */
const layerNorm: Lowering<'layerNorm'> = {
  needs: ['Sum', 'Sub', 'Multiply', 'Add', 'Rsqrt'],
  run: (w, [x, gamma, beta], { attributes: { epsilon } }) => {
    const last = [x!.shape.length - 1]
    const mean = (t: TensorInfo): TensorInfo => w.reshape(meanOver(w, t, last), [...t.shape.slice(0, -1), 1])
    const centred = w.call('Sub', { a: x!, b: mean(x!) })
    const variance = mean(w.call('Multiply', { a: centred, b: centred }))
    const scale = w.call('Rsqrt', { x: w.call('Add', { a: variance, b: w.scalar(epsilon) }) })
    const normalised = w.call('Multiply', { a: centred, b: scale })
    if (gamma === undefined || beta === undefined) return normalised
    const flat = (t: TensorInfo): TensorInfo => w.reshape(t, t.shape.slice(1))
    return w.call('Add', { a: w.call('Multiply', { a: normalised, b: flat(gamma) }), b: flat(beta) })
  },
}

/** The lowerings every tfjs backend shares. */
export const lowerings: Lowerings = {
  add: binary('Add'),
  subtract: binary('Sub'),
  multiply: binary('Multiply'),
  divide: binary('RealDiv'),
  maximum: binary('Maximum'),
  minimum: binary('Minimum'),
  power,
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  relu: unary('Relu'),
  step: [{ needs: ['Step'], run: (w, [x]) => w.call('Step', { x }, { alpha: 0 }) }, { needs: ['Sign', 'Relu'], run: (w, [x]) => w.call('Sign', { x: w.call('Relu', { x }) }) }],
  gelu: [gelu],
  reshape: [{ needs: ['Reshape'], run: (w, [x], node, batch) => w.reshape(x!, valueShape(node, batch)) }],
  transpose: [{ needs: ['Transpose'], run: (w, [x], { attributes: { perm } }) => w.call('Transpose', { x }, { perm: [0, ...perm.map(axis => axis + 1)] }) }],
  slice: [{ needs: ['Slice'], run: (w, [x], node, batch) => cut(w, x!, [0, ...node.attributes.begin], valueShape(node, batch)) }],
  pad: [adjoints.pad],
  // Nothing is copied: the buffer is shared, and counted.
  after: [{ needs: ['Reshape'], run: (w, [x]) => w.reshape(x!, x!.shape) }],
  remat: [{ needs: ['Reshape'], run: (w, [y]) => w.reshape(y!, y!.shape) }],
  detach: [{ needs: ['Reshape'], run: (w, [x]) => w.reshape(x!, x!.shape) }],
  concat: [
    {
      needs: ['Concat', 'Tile'],
      run: (w, inputs, node, batch) => w.call('Concat', inputs.map(x => overBatch(w, x, node.batched ? batch : 1)), { axis: node.attributes.axis + 1 }),
    },
  ],
  gather: [
    {
      needs: ['GatherV2', 'Add', 'Reshape'],
      run: (w, [table, indices], node, batch) => {
        const [samples, rows, ...rest] = table!.shape as [number, number, ...number[]]
        return w.reshape(picked(w, w.reshape(table!, [samples * rows, ...rest]), flatRows(w, indices!, samples, rows)), valueShape(node, batch))
      },
    },
  ],
  sum: [{ needs: ['Sum', 'Reshape'], run: (w, [x], node, batch) => reduced(w, w.call('Sum', { x }, { axis: axesOf(node), keepDims: false }), node, batch) }],
  mean: [{ needs: ['Sum', 'Multiply', 'Reshape'], run: (w, [x], node, batch) => reduced(w, meanOver(w, x!, axesOf(node)), node, batch) }],
  max: [{ needs: ['Max', 'Reshape'], run: (w, [x], node, batch) => reduced(w, w.call('Max', { x }, { reductionIndices: axesOf(node), keepDims: false }), node, batch) }],
  batchSize: [{ needs: [], run: (w, _, __, batch) => w.own(w.upload(Float32Array.of(batch), [1], 'float32')) }],
  batchSum: [{ needs: ['Sum', 'Reshape'], run: (w, [x], node) => w.reshape(w.call('Sum', { x }, { axis: [0], keepDims: false }), [1, ...node.shape]) }],
  argsort: [argsort],
  batchReverse: [{ needs: ['Reverse', 'Reshape'], run: (w, [x], node, batch) => w.reshape(w.call('Reverse', { x: w.reshape(x!, [batch, sizeOf(node.shape)]) }, { dims: [0] }), valueShape(node, batch)) }],
  batchToAxis: [{ needs: ['Reshape'], run: (w, [x], node) => w.reshape(x!, [1, ...node.shape]) }],
  axisToBatch: [{ needs: ['Reshape'], run: (w, [x], node, batch) => w.reshape(x!, valueShape(node, batch)) }],
  batchMean: [{ needs: ['Sum', 'Multiply', 'Reshape'], run: (w, [x], node) => w.reshape(meanOver(w, x!, [0]), [1, ...node.shape]) }],
  softmax: [{ needs: ['ShaderSoftmax'], overwrites: 1, run: (w, [x]) => w.call('ShaderSoftmax', { x }) }, { needs: ['Softmax'], run: (w, [logits]) => w.call('Softmax', { logits }, { dim: logits!.shape.length - 1 }) }],
  layerNorm: [
    {
      needs: ['ShaderLayerNorm'],
      overwrites: 1,
      run: (w, [x, gamma, beta], { attributes: { epsilon } }) =>
        w.call('ShaderLayerNorm', gamma === undefined || beta === undefined ? { x } : { x, gamma: w.reshape(gamma, gamma.shape.slice(1)), beta: w.reshape(beta, beta.shape.slice(1)) }, { epsilon }),
    },
    layerNorm,
  ],
  matmul: [matmul],
  linear: [linear],
  attention: [attention],
  conv2d: [depthwiseConv2d, conv2d],
  maxPool: [maxPool],
  averagePool: [averagePool],
  broadcast: [{ needs: ['Tile'], run: (w, [x], node, batch) => tile(w, x!, valueShape(node, batch).map((size, axis) => size / x!.shape[axis]!)) }],
  scatterAdd: [adjoints.scatterAdd],
  geluGradient: [adjoints.geluGradient],
  softmaxGradient: [adjoints.softmaxGradient],
  layerNormGradient: [adjoints.layerNormGradient],
  linearWeightGradient: [adjoints.linearWeightGradient],
  conv2dInputGradient: [adjoints.depthwiseConv2dInputGradient, adjoints.conv2dInputGradient],
  conv2dWeightGradient: [adjoints.depthwiseConv2dWeightGradient, adjoints.conv2dWeightGradient],
  maxPoolGradient: [adjoints.maxPoolGradient],
  // Fused ops run as what they stand for, unless a backend knows better: see `composed`.
  fusedLinear: [fusedLinear],
  packedAttention: [packedAttention],
  packedAttentionGradient: [],
  groupNorm: [],
  groupNormGradient: [],
  squareSum: [],
  // GLSL has no more than four coordinates in one.
  elementwise: [{ needs: ['ShaderElementwise'], fits: node => node.shape.length <= 3, run: (w, inputs, node, batch) => w.call('ShaderElementwise', inputs, { steps: node.attributes.steps, shape: valueShape(node, batch) }) }],
}
