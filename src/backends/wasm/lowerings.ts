import { valueShape } from '../../ops/tensor.js'
import type { Lowerings } from '../tfjs/lowering.js'
import { overBatch } from '../tfjs/contractions.js'
import * as adjoints from './adjoints.js'
import { lowerings } from '../tfjs/lowerings.js'
import { geluNames } from './geluNames.js'

/** What our own kernels do better, before what tfjs does. */
export const wasmLowerings: Lowerings = {
  ...lowerings,
  ...adjoints.lowerings,
  gelu: [{ needs: ['VitrailUnary'], run: (w, [x], { attributes: { form } }) => w.call('VitrailUnary', { x }, { fn: geluNames[form] }) }, ...lowerings.gelu],
  layerNorm: [
    {
      needs: ['VitrailLayerNorm'],
      run: (w, [x, gamma, beta], { attributes: { epsilon } }) =>
        w.call('VitrailLayerNorm', gamma === undefined || beta === undefined ? { x } : { x, gamma: w.reshape(gamma, gamma.shape.slice(1)), beta: w.reshape(beta, beta.shape.slice(1)) }, { epsilon }),
    },
    ...lowerings.layerNorm,
  ],
  softmax: [{ needs: ['VitrailSoftmax'], run: (w, [x]) => w.call('VitrailSoftmax', { x }) }, ...lowerings.softmax],
  slice: [{ needs: ['VitrailSlice'], run: (w, [x], node, batch) => w.call('VitrailSlice', { x }, { begin: [0, ...node.attributes.begin], size: valueShape(node, batch) }) }, ...lowerings.slice],
  transpose: [
    { needs: ['VitrailTranspose'], fits: node => node.shape.length < 6, run: (w, [x], { attributes: { perm } }) => w.call('VitrailTranspose', { x }, { perm: [0, ...perm.map(axis => axis + 1)] }) },
    ...lowerings.transpose,
  ],
  matmul: [{ needs: ['VitrailMatMul'], run: (w, [a, b], { attributes }) => w.call('VitrailMatMul', { a, b }, attributes) }, ...lowerings.matmul],
  linear: [
    {
      needs: ['VitrailPack', 'VitrailLinear'],
      adapt: { input: 1, make: (w, weight) => w.call('VitrailPack', { w: w.reshape(weight, weight.shape.slice(1)) }, { transposed: true }) },
      run: (w, [x, packed, bias], node) => {
        const n = node.shape.at(-1) as number
        return w.call('VitrailLinear', { x, packed, ...(bias === undefined ? {} : { bias: w.reshape(bias, [n]) }) }, { n, activation: 'none' })
      },
    },
    ...lowerings.linear,
  ],
  attention: [
    {
      needs: ['VitrailTokenAttention', 'Tile'],
      run: (w, [q, k, v, bias], node, batch) => {
        const spread = (t: typeof q) => overBatch(w, t!, node.batched ? batch : 1)
        return w.call('VitrailTokenAttention', { q: spread(q), k: spread(k), v: spread(v), ...(bias === undefined ? {} : { bias }) }, node.attributes)
      },
    },
    ...lowerings.attention,
  ],
}
