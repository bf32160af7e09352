import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import { batchedShape, type Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** Products over the last two axes. Leading axes are made equal first: tfjs's cpu kernel broadcasts only whole batches. */
export const matmul: Lowering<'matmul'> = {
  needs: ['BatchMatMul', 'Tile'],
  run: (w, [a, b], { attributes: { transposeA, transposeB } }) => {
    const leading = a!.shape.slice(0, -2).map((size, axis) => Math.max(size, b!.shape[axis]!))
    const spread = (x: TensorInfo): TensorInfo => (leading.every((size, axis) => size === x.shape[axis]) ? x : w.call('Tile', { x }, { reps: [...leading.map((size, axis) => size / x.shape[axis]!), 1, 1] }))
    return w.call('BatchMatMul', { a: spread(a!), b: spread(b!) }, { transposeA, transposeB })
  },
}

/**
 * Rows of all samples as one 2-D product with the weight turned to `[in, out]` beforehand: on wasm any
 * batch or transpose falls off the fast path.
 */
export const linear: Lowering<'linear'> = {
  needs: ['BatchMatMul', 'Transpose', 'Reshape', 'Add'],
  adapt: { input: 1, make: (w, weight) => w.call('Transpose', { x: w.viewed(weight, weight.shape.slice(1)) }, { perm: [1, 0] }) },
  run: (w, [x, weight, bias], node, batch) => {
    const [inner, out] = weight!.shape as [number, number]
    const rows = w.viewed(x!, [1, sizeOf(x!.shape) / inner, inner])
    const product = w.call('BatchMatMul', { a: rows, b: w.viewed(weight!, [1, inner, out]) }, { transposeA: false, transposeB: false })
    const shifted = bias === undefined ? product : w.call('Add', { a: product, b: w.viewed(bias, [out]) })
    return w.reshape(shifted, batchedShape(node, batch))
  },
}

/** `[batch, tokens, dim] → [batch, heads, tokens, headDim]`. */
const heads = (w: Workspace, x: TensorInfo, numHeads: number): TensorInfo => {
  const [batch, tokens, dim] = x.shape as [number, number, number]
  return w.call('Transpose', { x: w.viewed(x, [batch, tokens, numHeads, dim / numHeads]) }, { perm: [0, 2, 1, 3] })
}

/** Attention as two batched products with a softmax between. */
export const attention: Lowering<'attention'> = {
  needs: ['BatchMatMul', 'Transpose', 'Multiply', 'Softmax', 'Reshape', 'Add'],
  run: (w, [q, k, v, bias], node, batch) => {
    const { numHeads, scale } = node.attributes
    const scores = w.call('BatchMatMul', { a: heads(w, w.call('Multiply', { a: q!, b: w.scalar(scale) }), numHeads), b: heads(w, k!, numHeads) }, { transposeA: false, transposeB: true })
    const shifted = bias === undefined ? scores : w.call('Add', { a: scores, b: bias })
    const weights = w.call('Softmax', { logits: shifted }, { dim: 3 })
    const attended = w.call('BatchMatMul', { a: weights, b: heads(w, v!, numHeads) }, { transposeA: false, transposeB: false })
    return w.reshape(w.call('Transpose', { x: attended }, { perm: [0, 2, 1, 3] }), batchedShape(node, batch))
  },
}
