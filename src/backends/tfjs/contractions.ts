import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import { valueShape } from '../../ops/tensor.js'
import type { Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** Repeats what has no batch over the batch, where a kernel does not broadcast. */
export const overBatch = (w: Workspace, x: TensorInfo, batch: number): TensorInfo =>
  x.shape[0] === batch ? x : w.call('Tile', { x }, { reps: x.shape.map((_, axis) => (axis === 0 ? batch : 1)) })

/**
 * Products over the last two axes. Leading axes are made equal first: tfjs's cpu kernel broadcasts only whole batches. One
 * right-hand factor for all is one 2-D product over all rows.
 */
export const matmul: Lowering<'matmul'> = {
  needs: ['BatchMatMul', 'Tile', 'Reshape'],
  run: (w, [a, b], node, batch) => {
    const { transposeA, transposeB } = node.attributes
    if (!transposeA && sizeOf(b!.shape.slice(0, -2)) === 1) {
      const [inner, matrix] = [a!.shape.at(-1)!, b!.shape.slice(-2)]
      const product = w.call('BatchMatMul', { a: w.reshape(a!, [1, sizeOf(a!.shape) / inner, inner]), b: w.reshape(b!, [1, ...matrix]) }, { transposeA, transposeB })
      return w.reshape(product, valueShape(node, batch))
    }
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
  adapt: { input: 1, form: 'transposed', make: (w, weight) => w.call('Transpose', { x: w.reshape(weight, weight.shape.slice(1)) }, { perm: [1, 0] }) },
  run: (w, [x, weight, bias], node, batch) => {
    const [inner, out] = weight!.shape as [number, number]
    const rows = w.reshape(x!, [1, sizeOf(x!.shape) / inner, inner])
    const product = w.call('BatchMatMul', { a: rows, b: w.reshape(weight!, [1, inner, out]) }, { transposeA: false, transposeB: false })
    const shifted = bias === undefined ? product : w.call('Add', { a: product, b: w.reshape(bias, [out]) })
    return w.reshape(shifted, valueShape(node, batch))
  },
}

/** `[batch, ..., tokens, dim] → [batch · ..., heads, tokens, headDim]`. */
const heads = (w: Workspace, x: TensorInfo, numHeads: number): TensorInfo => {
  const [tokens, dim] = x.shape.slice(-2) as [number, number]
  return w.call('Transpose', { x: w.reshape(x, [sizeOf(x.shape) / (tokens * dim), tokens, numHeads, dim / numHeads]) }, { perm: [0, 2, 1, 3] })
}

/** Attention as two batched products with a softmax between. */
export const attention: Lowering<'attention'> = {
  needs: ['BatchMatMul', 'Transpose', 'Multiply', 'Softmax', 'Reshape', 'Add', 'Tile'],
  run: (w, [queries, keys, values, bias], node, batch) => {
    const { numHeads, scale } = node.attributes
    // Leading axes are folded into the batch, so all three must have all of it.
    const [q, k, v] = [queries, keys, values].map(x => overBatch(w, x!, node.batched ? batch : 1))
    const scores = w.call('BatchMatMul', { a: heads(w, w.call('Multiply', { a: q!, b: w.scalar(scale) }), numHeads), b: heads(w, k!, numHeads) }, { transposeA: false, transposeB: true })
    const whole = [...q!.shape.slice(0, -2), ...scores.shape.slice(1)]
    const shifted = bias === undefined ? scores : w.reshape(w.call('Add', { a: w.reshape(scores, whole), b: bias }), scores.shape)
    const weights = w.call('Softmax', { logits: shifted }, { dim: 3 })
    const attended = w.call('BatchMatMul', { a: weights, b: heads(w, v!, numHeads) }, { transposeA: false, transposeB: false })
    return w.reshape(w.call('Transpose', { x: attended }, { perm: [0, 2, 1, 3] }), valueShape(node, batch))
  },
}
