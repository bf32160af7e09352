import { convSize } from '../shape/natural.js'
import { sameShape, show, type Shape } from '../shape/shape.js'
import { demand, node } from './node.js'
import type { Attributes, Convolution, Pooling, Tensor } from './tensor.js'

/**
 * A 2-D convolution of `[height, width, in]` by a weight `[out, in/groups, kernelHeight, kernelWidth]` (PyTorch's layout) and a
 * bias `[out]` → `[rows, columns, out]`.
 *
 * @example
 * ops.conv2d(ops.input('x', [224, 224, 3]), ops.parameter('w', [192, 3, 16, 16], { kind: 'zeros' }), undefined, { strides: [16, 16], padding: [[0, 0], [0, 0]], groups: 1 }).shape // [14, 14, 192]
 */
export const conv2d = (x: Tensor, weight: Tensor, bias: Tensor | undefined, { strides, padding, groups }: Convolution): Tensor<'conv2d'> => {
  const shape = convolved('conv2d', x.shape, weight.shape, { strides, padding, groups })
  demand(!weight.batched && (bias === undefined || (!bias.batched && sameShape(bias.shape, shape.slice(-1)))), 'conv2d: weight and bias are not unbatched, with one bias for each channel out')
  return node('conv2d', bias === undefined ? [x, weight] : [x, weight, bias], { strides, padding, groups }, shape)
}

/** `[rows, columns, out]`: what a convolution makes of an image. */
export const convolved = (op: string, image: Shape, weight: Shape, { strides, padding, groups }: Convolution): Shape => {
  const [height, width, channels] = image as readonly [number, number, number]
  const [out, perGroup, kernelHeight, kernelWidth] = weight as readonly [number, number, number, number]
  const [[top, bottom], [left, right]] = padding
  const rows = convSize(height + top + bottom, kernelHeight, strides[0], 0)
  const columns = convSize(width + left + right, kernelWidth, strides[1], 0)
  demand(image.length === 3 && weight.length === 4 && channels === perGroup * groups && out % groups === 0 && rows !== undefined && columns !== undefined, () => `${op}: a weight of ${show(weight)} does not take ${show(image)}`)
  return [rows as number, columns as number, out]
}

/** Whether a convolution by kernels `[height, width]` looks at one place at a time, and so is a linear map of it. */
export const isPointwise = ({ strides, padding, groups }: Convolution, kernel: readonly number[]): boolean => groups === 1 && [...kernel, ...strides].every(n => n === 1) && padding.flat().every(n => n === 0)

/** `[rows, columns, channels]`: what pooling makes of an image. */
export const pooled = (op: string, x: Tensor, { size, strides, padding }: Pooling): Shape => {
  const [height, width, channels] = x.shape as readonly [number, number, number]
  const rows = convSize(height + padding[0][0] + padding[0][1], size[0], strides[0], 0)
  const columns = convSize(width + padding[1][0] + padding[1][1], size[1], strides[1], 0)
  demand(padding.every((sides, axis) => sides.every(side => side < size[axis]!)), () => `${op}: a window of ${show(size)} may lie wholly in the padding`)
  demand(x.shape.length === 3 && rows !== undefined && columns !== undefined, () => `${op}: a window of ${show(size)} does not fit ${show(x.shape)}`)
  return [rows as number, columns as number, channels]
}

/**
 * The largest element of each window, channel by channel; `[height, width, channels] → [rows, columns, channels]`.
 *
 * @example
 * ops.maxPool(ops.input('x', [8, 8, 3]), { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }).shape // [4, 4, 3]
 */
export const maxPool = (x: Tensor, { size, strides, padding }: Pooling): Tensor<'maxPool'> => node('maxPool', [x], { size, strides, padding }, pooled('maxPool', x, { size, strides, padding }))

/**
 * The mean of each window; padding is counted as zeros (PyTorch's default) or left out of the mean (TensorFlow's).
 * `[height, width, channels] → [rows, columns, channels]`.
 *
 * @example
 * ops.averagePool(ops.input('x', [8, 8, 3]), { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]], countPadding: true }).shape // [4, 4, 3]
 */
export const averagePool = (x: Tensor, { size, strides, padding, countPadding }: Attributes['averagePool']): Tensor<'averagePool'> =>
  node('averagePool', [x], { size, strides, padding, countPadding }, pooled('averagePool', x, { size, strides, padding }))

/**
 * For each window of an average pool, how much larger it is than its part inside the image: what a mean that counts zeros
 * is multiplied by to become one that does not. `[rows · columns]`.
 */
export const paddingScale = ({ attributes: { size, strides, padding }, shape, inputs: [x] }: Tensor<'averagePool'>): Float32Array => {
  const inside = (axis: 0 | 1, at: number): number => {
    const start = at * strides[axis] - padding[axis][0]
    return Math.min(start + size[axis], x!.shape[axis]!) - Math.max(start, 0)
  }
  const [rows, columns] = shape as readonly [number, number]
  return Float32Array.from({ length: rows * columns }, (_, i) => (size[0] * size[1]) / (inside(0, Math.floor(i / columns)) * inside(1, i % columns)))
}
