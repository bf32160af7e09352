import { sameShape, show, sizeOf, type Shape } from '../shape/shape.js'
import { padRank } from './axes.js'
import { convolved, pooled } from './images.js'
import { demand, node } from './node.js'
import { batchSize } from './reductions.js'
import type { Convolution, GeluForm, Pooling, Tensor } from './tensor.js'

/** Gradients arrive in the shape of what they are gradients of, and batched as it is. */
const demandAlike = (op: string, y: Tensor, dy: Tensor): void => demand(sameShape(y.shape, dy.shape) && y.batched === dy.batched, () => `${op}: a gradient of ${show(dy.shape)} is not of what is ${show(y.shape)}`)

/**
 * `x` repeated along its axes of size 1, and with `overBatch` for every sample: the adjoint of a sum.
 *
 * @example
 * ops.broadcast(ops.parameter('w', [1, 3], { kind: 'zeros' }), [2, 3], true).batched // true
 */
export const broadcast = (x: Tensor, shape: Shape, overBatch = false): Tensor<'broadcast'> => {
  const padded = padRank(x, shape.length)
  demand(padded.shape.length === shape.length && padded.shape.every((size, axis) => size === shape[axis] || size === 1), () => `broadcast: ${show(x.shape)} does not broadcast to ${show(shape)}`)
  // The size of the batch is an input, so that what depends on it is seen to do so.
  return node('broadcast', overBatch && !x.batched ? [padded, batchSize()] : [padded], {}, shape)
}

/**
 * Rows `[...indices, ...rest]` summed into a table of `rows` rows, the adjoint of `gather`: `[rows, ...rest]`. It is one
 * table over all samples, not batched, or with `overBatch` false a table for each.
 *
 * @example
 * ops.scatterAdd(ops.input('ids', [7], 'int32'), ops.input('dy', [7, 4]), 10).shape // [10, 4]
 */
export const scatterAdd = (indices: Tensor, values: Tensor, rows: number, overBatch = true): Tensor<'scatterAdd'> => {
  const rank = indices.shape.length
  demand(indices.dtype === 'int32' && sameShape(indices.shape, values.shape.slice(0, rank)) && (overBatch ? indices.batched === values.batched : values.batched), () => `scatterAdd: ${show(values.shape)} is not a row for each of ${show(indices.shape)} integers`)
  return node('scatterAdd', [indices, values], { overBatch }, [rows, ...values.shape.slice(rank)])
}

/**
 * `dy · gelu′(x)`, `[...] → [...]`.
 *
 * @example
 * ops.geluGradient(ops.input('x', [3]), ops.input('dy', [3])).attributes // { form: 'erf' }
 */
export const geluGradient = (x: Tensor, dy: Tensor, form: GeluForm = 'erf'): Tensor<'geluGradient'> => {
  demandAlike('geluGradient', x, dy)
  return node('geluGradient', [x, dy], { form }, x.shape)
}

/**
 * `y · (dy − Σ y·dy)` over the last axis, for `y = softmax(x)`: `[..., n] → [..., n]`.
 *
 * @example
 * ops.softmaxGradient(ops.input('y', [2, 5]), ops.input('dy', [2, 5])).shape // [2, 5]
 */
export const softmaxGradient = (y: Tensor, dy: Tensor): Tensor<'softmaxGradient'> => {
  demandAlike('softmaxGradient', y, dy)
  return node('softmaxGradient', [y, dy], {}, y.shape)
}

/**
 * The gradient of `layerNorm` for its input, `[..., dim] → [..., dim]`; the scale `gamma [dim]` as it was given there.
 *
 * @example
 * ops.layerNormGradient(ops.input('x', [2, 5]), ops.input('dy', [2, 5]), 1e-5).shape // [2, 5]
 */
export const layerNormGradient = (x: Tensor, dy: Tensor, epsilon: number, gamma?: Tensor): Tensor<'layerNormGradient'> => {
  demandAlike('layerNormGradient', x, dy)
  demand(gamma === undefined || (!gamma.batched && sameShape(gamma.shape, x.shape.slice(-1))), 'layerNormGradient: the scale is not one unbatched number a channel')
  return node('layerNormGradient', gamma === undefined ? [x, dy] : [x, dy, gamma], { epsilon }, x.shape)
}

/**
 * The gradient of `linear` for its weight: `Σ dy xᵀ` over all rows of all samples, as one product.
 * `x [..., in]`, `dy [..., out]` → `[out, in]`, not batched.
 *
 * @example
 * ops.linearWeightGradient(ops.input('x', [7, 4]), ops.input('dy', [7, 5])).shape // [5, 4]
 */
export const linearWeightGradient = (x: Tensor, dy: Tensor): Tensor<'linearWeightGradient'> => {
  demand(x.shape.length >= 1 && sameShape(x.shape.slice(0, -1), dy.shape.slice(0, -1)) && x.batched === dy.batched, () => `linearWeightGradient: ${show(x.shape)} and ${show(dy.shape)} do not have the same rows`)
  return node('linearWeightGradient', [x, dy], {}, [dy.shape.at(-1) as number, x.shape.at(-1) as number])
}

/**
 * The gradient of `conv2d` for its input, an image of `size`: `dy [rows, columns, out] → [height, width, in]`.
 *
 * @example
 * ops.conv2dInputGradient(ops.input('dy', [2, 2, 8]), ops.parameter('w', [8, 3, 4, 4], { kind: 'zeros' }), { strides: [4, 4], padding: [[0, 0], [0, 0]], groups: 1 }, [8, 8]).shape // [8, 8, 3]
 */
export const conv2dInputGradient = (dy: Tensor, weight: Tensor, { strides, padding, groups }: Convolution, size: readonly [height: number, width: number]): Tensor<'conv2dInputGradient'> => {
  const image = [...size, (weight.shape[1] as number) * groups]
  const made = convolved('conv2dInputGradient', image, weight.shape, { strides, padding, groups })
  demand(sameShape(made, dy.shape) && !weight.batched, () => `conv2dInputGradient: a weight of ${show(weight.shape)} does not make ${show(dy.shape)} of ${show(image)}`)
  return node('conv2dInputGradient', [dy, weight], { strides, padding, groups }, image)
}

/**
 * The gradient of `conv2d` for its weight, of a kernel of `size`, summed over the batch: `[out, in/groups, kernelHeight, kernelWidth]`.
 *
 * @example
 * ops.conv2dWeightGradient(ops.input('x', [8, 8, 3]), ops.input('dy', [2, 2, 8]), { strides: [4, 4], padding: [[0, 0], [0, 0]], groups: 1 }, [4, 4]).shape // [8, 3, 4, 4]
 */
export const conv2dWeightGradient = (x: Tensor, dy: Tensor, { strides, padding, groups }: Convolution, size: readonly [height: number, width: number]): Tensor<'conv2dWeightGradient'> => {
  const weight = [dy.shape[2] as number, (x.shape[2] as number) / groups, ...size]
  const made = convolved('conv2dWeightGradient', x.shape, weight, { strides, padding, groups })
  demand(sameShape(made, dy.shape) && x.batched === dy.batched, () => `conv2dWeightGradient: a weight of ${show(weight)} does not make ${show(dy.shape)} of ${show(x.shape)}`)
  return node('conv2dWeightGradient', [x, dy], { strides, padding, groups }, weight)
}

/**
 * The gradient of `maxPool`: each element of `dy` goes to the largest element of its window in `x`, the first
 * in reading order where several are (as PyTorch). `[height, width, channels]`.
 *
 * @example
 * ops.maxPoolGradient(ops.input('x', [4, 4, 3]), ops.input('dy', [2, 2, 3]), { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }).shape // [4, 4, 3]
 */
export const maxPoolGradient = (x: Tensor, dy: Tensor, { size, strides, padding }: Pooling): Tensor<'maxPoolGradient'> => {
  demand(sizeOf(dy.shape) > 0 && sameShape(pooled('maxPoolGradient', x, { size, strides, padding }), dy.shape) && x.batched === dy.batched, () => `maxPoolGradient: a window of ${show(size)} does not make ${show(dy.shape)} of ${show(x.shape)}`)
  return node('maxPoolGradient', [x, dy], { size, strides, padding }, x.shape)
}
