import type { TensorInfo } from '@tensorflow/tfjs-core'
import { linearOperands } from '../../ops/linearOperands.js'
import { valueShape, type Tensor } from '../../ops/tensor.js'
import type { Lowerings } from '../tfjs/lowering.js'
import type { Workspace } from '../tfjs/workspace.js'
import { overBatch } from '../tfjs/contractions.js'
import * as adjoints from './adjoints.js'
import * as convolutions from './convolutions.js'
import { lowerings } from '../tfjs/lowerings.js'
import { activationNames } from './activationNames.js'
import { repeatsOf } from './kernels/elementwise.js'

/** A batch of unknown size: more than one. */
const manySamples = 2

/** Weights in panels, once where they do not change. */
const packed = { input: 1, form: 'panels', make: (w: Workspace, weight: TensorInfo): TensorInfo => w.call('VitrailPack', { w: w.reshape(weight, weight.shape.slice(1)) }, { transposed: true }) }

const linear = (w: Workspace, operands: Readonly<Record<string, TensorInfo | undefined>>, bias: TensorInfo | undefined, activation: string, node: Tensor): TensorInfo => {
  const n = node.shape.at(-1) as number
  return w.call('VitrailLinear', { ...operands, ...(bias === undefined ? {} : { bias: w.reshape(bias, [n]) }) }, { n, activation })
}

/** For every sample, what attention meets with something that each sample has its own of: a bias, say. */
const spread = (w: Workspace, x: TensorInfo, node: Tensor, batch: number): TensorInfo => overBatch(w, x, node.batched ? batch : 1)

/** What our own kernels do better, before what tfjs does. */
export const wasmLowerings: Lowerings = {
  ...lowerings,
  ...adjoints.lowerings,
  gelu: [{ needs: ['VitrailUnary'], overwrites: 1, run: (w, [x], { attributes: { form } }) => w.call('VitrailUnary', { x }, { fn: activationNames[form] }) }, ...lowerings.gelu],
  layerNorm: [
    {
      needs: ['VitrailLayerNorm'],
      overwrites: 1,
      run: (w, [x, gamma, beta], { attributes: { epsilon } }) =>
        w.call('VitrailLayerNorm', gamma === undefined || beta === undefined ? { x } : { x, gamma: w.reshape(gamma, gamma.shape.slice(1)), beta: w.reshape(beta, beta.shape.slice(1)) }, { epsilon }),
    },
    ...lowerings.layerNorm,
  ],
  softmax: [{ needs: ['VitrailSoftmax'], overwrites: 1, run: (w, [x]) => w.call('VitrailSoftmax', { x }) }, ...lowerings.softmax],
  slice: [{ needs: ['VitrailSlice'], run: (w, [x], node, batch) => w.call('VitrailSlice', { x }, { begin: [0, ...node.attributes.begin], size: valueShape(node, batch) }) }, ...lowerings.slice],
  transpose: [
    { needs: ['VitrailTranspose'], run: (w, [x], { attributes: { perm } }) => w.call('VitrailTranspose', { x }, { perm: [0, ...perm.map(axis => axis + 1)] }) },
    ...lowerings.transpose,
  ],
  matmul: [{ needs: ['VitrailMatMul'], run: (w, [a, b], { attributes }) => w.call('VitrailMatMul', { a, b }, attributes) }, ...lowerings.matmul],
  linear: [{ needs: ['VitrailPack', 'VitrailLinear'], adapt: packed, run: (w, [x, weight, bias], node) => linear(w, { x, packed: weight }, bias, 'none', node) }, ...lowerings.linear],
  fusedLinear: [
    {
      needs: ['VitrailPack', 'VitrailLinear'],
      adapt: packed,
      run: (w, inputs, node) => {
        const { activation, residual } = node.attributes
        const { x, weight, bias, residual: added } = linearOperands(inputs, residual)
        return linear(w, { x, packed: weight, ...(added === undefined ? {} : { residual: added }) }, bias, activationNames[activation], node)
      },
    },
    ...lowerings.fusedLinear,
  ],
  packedAttention: [{ needs: ['VitrailPackedAttention', 'Tile'], run: (w, [qkv, bias], node, batch) => w.call('VitrailPackedAttention', { qkv: spread(w, qkv!, node, batch), ...(bias === undefined ? {} : { bias }) }, node.attributes) }, ...lowerings.packedAttention],
  packedAttentionGradient: [{ needs: ['VitrailPackedAttentionGradient'], run: (w, [qkv, dy, bias], { attributes }) => w.call('VitrailPackedAttentionGradient', { qkv, dy, ...(bias === undefined ? {} : { bias }) }, attributes) }],
  groupNorm: [{ needs: ['VitrailGroupNorm'], overwrites: 1, run: (w, [x, gamma, beta], { attributes: { activation, ...how } }) => w.call('VitrailGroupNorm', { x, gamma: w.reshape(gamma!, gamma!.shape.slice(1)), beta: w.reshape(beta!, beta!.shape.slice(1)) }, { ...how, activation: activationNames[activation] }) }],
  groupNormGradient: [{ needs: ['VitrailGroupNormGradient'], overwrites: 2, run: (w, [x, dy, gamma], { attributes }) => w.call('VitrailGroupNormGradient', { x, dy, gamma: w.reshape(gamma!, gamma!.shape.slice(1)) }, attributes) }],
  squareSum: [{ needs: ['VitrailSquareSum'], fits: node => !node.batched, run: (w, inputs) => w.call('VitrailSquareSum', inputs) }],
  elementwise: [{ needs: ['VitrailElementwise'], overwrites: Infinity, fits: node => node.inputs.every(x => repeatsOf([x.batched ? manySamples : 1, ...x.shape], [node.batched ? manySamples : 1, ...node.shape]) !== undefined), run: (w, inputs, node, batch) => w.call('VitrailElementwise', inputs, { steps: node.attributes.steps, shape: valueShape(node, batch) }) }],
  attention: [
    {
      needs: ['VitrailTokenAttention', 'Tile'],
      run: (w, [q, k, v, bias], node, batch) => {
        const all = (t: typeof q) => spread(w, t!, node, batch)
        return w.call('VitrailTokenAttention', { q: all(q), k: all(k), v: all(v), ...(bias === undefined ? {} : { bias }) }, node.attributes)
      },
    },
    ...lowerings.attention,
  ],
  argsort: [{ needs: ['VitrailArgsort'], run: (w, [x], { attributes }) => w.call('VitrailArgsort', { x }, attributes) }, ...lowerings.argsort],
  conv2d: [...convolutions.lowerings.conv2d, ...lowerings.conv2d],
  maxPool: [...convolutions.lowerings.maxPool, ...lowerings.maxPool],
  averagePool: [...convolutions.lowerings.averagePool, ...lowerings.averagePool],
}
