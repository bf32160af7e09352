import { sameShape, show, type Shape } from '../shape/shape.js'
import { padRank } from './axes.js'
import { demand, node } from './node.js'
import type { Attributes, Tensor } from './tensor.js'

/**
 * Matrix products over the last two axes; the leading axes must be equal, or 1 or absent on one side.
 * `[..., m, k], [..., k, n] → [..., m, n]`; `transposeA` takes `[..., k, m]`, `transposeB` takes `[..., n, k]`.
 *
 * @example
 * ops.matmul(ops.input('x', [3, 197, 64]), ops.input('y', [3, 197, 64]), { transposeB: true }).shape // [3, 197, 197]
 */
export const matmul = (a: Tensor, b: Tensor, { transposeA = false, transposeB = false } = {}): Tensor<'matmul'> => {
  const rank = Math.max(a.shape.length, b.shape.length)
  const [x, y] = [padRank(a, rank), padRank(b, rank)]
  const [m, k] = matrix(x.shape, transposeA)
  const [k2, n] = matrix(y.shape, transposeB)
  const [left, right] = [x.shape.slice(0, -2), y.shape.slice(0, -2)]
  demand(rank >= 2 && k === k2 && left.every((size, i) => size === right[i] || size === 1 || right[i] === 1), () => `matmul: ${show(a.shape)} and ${show(b.shape)} do not multiply`)
  return node('matmul', [x, y], { transposeA, transposeB }, [...left.map((size, i) => Math.max(size, right[i] as number)), m, n])
}
const matrix = (shape: Shape, transposed: boolean): readonly [number, number] => {
  const [rows, columns] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0]
  return transposed ? [columns, rows] : [rows, columns]
}

/**
 * `x [..., in] → [..., out]` by a weight `[out, in]` and a bias `[out]`, as PyTorch stores them.
 *
 * @example
 * ops.linear(ops.input('x', [197, 192]), ops.parameter('w', [10, 192], { kind: 'zeros' })).shape // [197, 10]
 */
export const linear = (x: Tensor, weight: Tensor, bias?: Tensor): Tensor<'linear'> => {
  demand(weight.shape.length === 2 && x.shape.at(-1) === weight.shape[1] && !weight.batched, () => `linear: a weight of ${show(weight.shape)} does not take ${show(x.shape)}`)
  demand(bias === undefined || (!bias.batched && sameShape(bias.shape, [weight.shape[0] as number])), 'linear: the bias does not have one element for each channel out')
  return node('linear', bias === undefined ? [x, weight] : [x, weight, bias], {}, [...x.shape.slice(0, -1), weight.shape[0] as number])
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al., 2017, section 3.2): the channels are split into
 * heads of consecutive channels, and each head is `softmax(q kᵀ · scale + bias) v`. Queries `[..., queries, dim]`,
 * keys and values `[..., keys, dim]`, bias `[..., numHeads, queries, keys]` → `[..., queries, dim]`. Leading axes
 * (the windows of an image) are equal; those of the bias may also be 1 or absent.
 *
 * @example
 * (x => ops.attention(x, x, x, { numHeads: 3, scale: 0.125 }).shape)(ops.input('x', [197, 192])) // [197, 192]
 */
export const attention = (q: Tensor, k: Tensor, v: Tensor, { numHeads, scale }: Attributes['attention'], bias?: Tensor): Tensor<'attention'> => {
  const [leading, [queries, dim]] = [q.shape.slice(0, -2), q.shape.slice(-2) as readonly number[] as readonly [number, number]]
  const keys = k.shape.at(-2) as number
  demand(q.shape.length >= 2 && sameShape(k.shape, [...leading, keys, dim]) && sameShape(v.shape, k.shape) && dim % numHeads === 0, () => `attention: queries ${show(q.shape)}, keys ${show(k.shape)} and values ${show(v.shape)} do not fit ${numHeads} heads`)
  if (bias === undefined) return node('attention', [q, k, v], { numHeads, scale }, q.shape)
  // Of equal rank, so that the batch axis lines up with the batch axis, as in elementwise ops.
  const shift = padRank(bias, q.shape.length + 1)
  const fits = sameShape(shift.shape.slice(-3), [numHeads, queries, keys]) && shift.shape.length === q.shape.length + 1 && leading.every((size, axis) => shift.shape[axis] === size || shift.shape[axis] === 1)
  demand(fits, () => `attention: a bias of ${show(bias.shape)} is not heads×queries×keys`)
  return node('attention', [q, k, v, shift], { numHeads, scale }, q.shape)
}
