import type { TensorInfo } from '@tensorflow/tfjs-core'
import { valueShape, type ComputedKind, type Tensor } from '../../ops/tensor.js'
import { attention, linear, matmul, overBatch } from './contractions.js'
import { averagePool, conv2d, depthwiseConv2d, maxPool } from './windows.js'
import type { Lowering, Lowerings } from './lowering.js'
import { foldAxes } from './foldAxes.js'
import type { Workspace } from './workspace.js'

/** Kernels broadcast over six axes at most (XNNPACK, and TensorFlow's own): more are folded first. */
const binary = <K extends ComputedKind>(kernel: string): readonly Lowering<K>[] => [
  {
    needs: [kernel, 'Reshape'],
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
const unary = <K extends ComputedKind>(kernel: string): readonly Lowering<K>[] => [{ needs: [kernel], run: (w, [x]) => w.call(kernel, { x }) }]

const axesOf = (node: Tensor<'sum' | 'mean' | 'max'>): readonly number[] => node.attributes.axes.map(axis => axis + 1)
/** Kernels differ on `keepDims`; a reshape settles it. */
const reduced = (w: Workspace, x: TensorInfo, node: Tensor, batch: number): TensorInfo => w.reshape(x, valueShape(node, batch))

/** `x·Φ(x)` in its three forms, from elementwise kernels. */
const gelu: Lowering<'gelu'> = {
  needs: ['Multiply', 'Add', 'Erf', 'Tanh', 'Sigmoid'],
  run: (w, [x], { attributes: { form } }) => {
    const times = (a: TensorInfo, b: TensorInfo): TensorInfo => w.call('Multiply', { a, b })
    if (form === 'quick') return times(x!, w.call('Sigmoid', { x: times(x!, w.scalar(1.702)) }))
    const inner =
      form === 'erf'
        ? w.call('Erf', { x: times(x!, w.scalar(Math.SQRT1_2)) })
        : w.call('Tanh', { x: times(w.call('Add', { a: x!, b: times(w.scalar(0.044715), times(x!, times(x!, x!))) }), w.scalar(Math.sqrt(2 / Math.PI))) })
    return times(times(x!, w.scalar(0.5)), w.call('Add', { a: inner, b: w.scalar(1) }))
  },
}

/** Two passes (mean, then mean square of what is left), because E[x²] − E[x]² loses rows with a large mean. */
const layerNorm: Lowering<'layerNorm'> = {
  needs: ['Mean', 'Sub', 'Multiply', 'Add', 'Rsqrt'],
  run: (w, [x, gamma, beta], { attributes: { epsilon } }) => {
    const last = [x!.shape.length - 1]
    const mean = (t: TensorInfo): TensorInfo => w.reshape(w.call('Mean', { x: t }, { axis: last, keepDims: false }), [...t.shape.slice(0, -1), 1])
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
  exp: unary('Exp'),
  sqrt: unary('Sqrt'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  relu: unary('Relu'),
  gelu: [gelu],
  reshape: [{ needs: ['Reshape'], run: (w, [x], node, batch) => w.reshape(x!, valueShape(node, batch)) }],
  transpose: [{ needs: ['Transpose'], run: (w, [x], { attributes: { perm } }) => w.call('Transpose', { x }, { perm: [0, ...perm.map(axis => axis + 1)] }) }],
  slice: [{ needs: ['Slice'], run: (w, [x], node, batch) => w.call('Slice', { x }, { begin: [0, ...node.attributes.begin], size: valueShape(node, batch) }) }],
  concat: [
    {
      needs: ['Concat', 'Tile'],
      run: (w, inputs, node, batch) => w.call('Concat', inputs.map(x => overBatch(w, x, node.batched ? batch : 1)), { axis: node.attributes.axis + 1 }),
    },
  ],
  gather: [
    {
      // Flat indices: with batch dimensions the wasm kernel reads the wrong rows.
      needs: ['GatherV2', 'Reshape'],
      run: (w, [table, indices], node, batch) => {
        const rows = w.call('GatherV2', { x: w.reshape(table!, table!.shape.slice(1)), indices: w.reshape(indices!, [indices!.shape.reduce((n, size) => n * size, 1)]) }, { axis: 0, batchDims: 0 })
        return w.reshape(rows, valueShape(node, batch))
      },
    },
  ],
  sum: [{ needs: ['Sum', 'Reshape'], run: (w, [x], node, batch) => reduced(w, w.call('Sum', { x }, { axis: axesOf(node), keepDims: false }), node, batch) }],
  mean: [{ needs: ['Mean', 'Reshape'], run: (w, [x], node, batch) => reduced(w, w.call('Mean', { x }, { axis: axesOf(node), keepDims: false }), node, batch) }],
  max: [{ needs: ['Max', 'Reshape'], run: (w, [x], node, batch) => reduced(w, w.call('Max', { x }, { reductionIndices: axesOf(node), keepDims: false }), node, batch) }],
  batchSize: [{ needs: [], run: (w, _, __, batch) => w.own(w.upload(Float32Array.of(batch), [1], 'float32')) }],
  batchMean: [{ needs: ['Mean', 'Reshape'], run: (w, [x], node) => w.reshape(w.call('Mean', { x }, { axis: [0], keepDims: false }), [1, ...node.shape]) }],
  softmax: [{ needs: ['Softmax'], run: (w, [logits]) => w.call('Softmax', { logits }, { dim: logits!.shape.length - 1 }) }],
  layerNorm: [layerNorm],
  matmul: [matmul],
  linear: [linear],
  attention: [attention],
  conv2d: [depthwiseConv2d, conv2d],
  maxPool: [maxPool],
  averagePool: [averagePool],
}
