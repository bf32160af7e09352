import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Tensor } from '../../ops/tensor.js'
import { sizeOf } from '../../shape/shape.js'
import { batchedShape, type Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** Products over the last two axes. */
export const matmul: Lowering<'matmul'> = {
  needs: ['BatchMatMul'],
  run: (w, [a, b], { attributes: { transposeA, transposeB } }) => w.call('BatchMatMul', { a, b }, { transposeA, transposeB }),
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

/** PyTorch's `[out, in/groups, height, width]` as tfjs wants it: `[height, width, in/groups, out]`. */
const channelsLast = (w: Workspace, weight: TensorInfo): TensorInfo => w.call('Transpose', { x: w.viewed(weight, weight.shape.slice(1)) }, { perm: [2, 3, 1, 0] })

const convolution = (strides: readonly number[]): object => ({ strides: [...strides], pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] })

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
    const result = groups === 1 ? w.call('Conv2D', { x: image, filter }, attrs) : w.call('Concat', Array.from({ length: groups }, (_, i) => group(i)), { axis: 3 })
    return bias === undefined ? result : w.call('Add', { a: result, b: w.viewed(bias, [out]) })
  },
}

const padded = (w: Workspace, x: TensorInfo, node: Tensor<'conv2d'>): TensorInfo => {
  const [[top, bottom], [left, right]] = node.attributes.padding
  return top + bottom + left + right === 0 ? x : w.call('PadV2', { x }, { paddings: [[0, 0], [top, bottom], [left, right], [0, 0]], constantValue: 0 })
}
