import { show, sizeOf, type Shape } from '../shape/shape.js'
import { demand, node } from './node.js'
import type { Attributes, Tensor } from './tensor.js'

/**
 * The same elements in the same order under other sizes: `[...] → shape`.
 *
 * @example
 * ops.reshape(ops.input('x', [2, 6]), [3, 4]).shape // [3, 4]
 */
export function reshape(x: Tensor, shape: Shape): Tensor<'reshape'> {
  demand(shape.every(size => Number.isInteger(size) && size >= 0) && sizeOf(shape) === sizeOf(x.shape), () => `reshape: ${show(x.shape)} does not hold ${show(shape)}`)
  return node('reshape', [x], {}, shape, x.dtype)
}

/**
 * Axis `i` of the result is axis `perm[i]` of `x`; the batch stays in front.
 *
 * @example
 * ops.transpose(ops.input('x', [2, 3, 4]), [2, 0, 1]).shape // [4, 2, 3]
 */
export const transpose = (x: Tensor, perm: readonly number[]): Tensor<'transpose'> => {
  demand(perm.length === x.shape.length && [...perm].sort((a, b) => a - b).every((axis, i) => axis === i), () => `transpose: ${perm.join()} does not permute the axes of ${show(x.shape)}`)
  return node('transpose', [x], { perm }, perm.map(axis => x.shape[axis] as number), x.dtype)
}

/**
 * The block of `size` elements that begins at `begin` along each axis: `[...] → size`.
 *
 * @example
 * ops.slice(ops.input('x', [197, 192]), [1, 0], [196, 192]).shape // [196, 192]
 */
export const slice = (x: Tensor, begin: readonly number[], size: Shape): Tensor<'slice'> => {
  demand(begin.length === x.shape.length && size.length === begin.length && begin.every((b, i) => b >= 0 && b + (size[i] as number) <= (x.shape[i] as number)), () => `slice: ${begin.join()} + ${size.join()} lies outside ${show(x.shape)}`)
  return node('slice', [x], { begin }, size, x.dtype)
}

/**
 * `x` as a block that begins at `begin` of a tensor of zeros: what `slice` would take out of it again.
 *
 * @example
 * ops.pad(ops.input('x', [2, 3]), [0, 1], [2, 8]).shape // [2, 8]
 */
export const pad = (x: Tensor, begin: readonly number[], shape: Shape): Tensor<'pad'> => {
  demand(begin.length === x.shape.length && shape.length === begin.length && begin.every((b, i) => b >= 0 && b + (x.shape[i] as number) <= (shape[i] as number)), () => `pad: ${show(x.shape)} at ${begin.join()} lies outside ${show(shape)}`)
  return node('pad', [x], { begin }, shape)
}

/**
 * Several tensors joined along one axis; an unbatched one is repeated over the batch of the others.
 * `[..., a, ...], [..., b, ...] → [..., a + b, ...]`.
 *
 * @example
 * ops.concat([ops.input('x', [196, 192]), ops.parameter('cls_token', [1, 192], { kind: 'zeros' })], 0).shape // [197, 192]
 */
export const concat = (xs: readonly Tensor[], axis: number): Tensor<'concat'> => {
  const first = xs[0] as Tensor
  demand(xs.every(x => x.shape.length === first.shape.length && x.shape.every((size, i) => i === axis || size === first.shape[i])), () => `concat: ${xs.map(x => show(x.shape)).join(' and ')} differ beside axis ${axis}`)
  return node('concat', [...xs], { axis }, first.shape.map((size, i) => (i === axis ? xs.reduce((n, x) => n + (x.shape[axis] as number), 0) : size)), first.dtype)
}

/**
 * Rows of `table` `[rows, ...rest]` picked by whole numbers `[...shape]` → `[...shape, ...rest]`. From a batched table
 * each sample picks rows of its own, by numbers of its own or by the same ones.
 *
 * @example
 * ops.gather(ops.input('tokens', [196, 384]), ops.slice(ops.argsort(ops.input('scores', [196])), [0], [98])).shape // [98, 384]
 */
export const gather = (table: Tensor, indices: Tensor): Tensor<'gather'> => {
  demand(indices.dtype === 'int32' && table.shape.length >= 1, 'gather: expects a table of rows and integer indices')
  return node('gather', [table, indices], {}, [...indices.shape, ...table.shape.slice(1)], table.dtype)
}

/**
 * The places of the elements of the last axis, smallest element first, or largest: `[..., n] → integers [..., n]`. Equal
 * elements keep their order. Where there is a NaN the order is any. The first place of a descending order is the argmax.
 *
 * @example
 * ops.argsort(ops.input('noise', [196])).dtype // 'int32'
 */
export const argsort = (x: Tensor, { descending = false }: Partial<Attributes['argsort']> = {}): Tensor<'argsort'> => {
  demand(x.shape.length >= 1, 'argsort: expects an axis to sort')
  return node('argsort', [x], { descending }, x.shape, 'int32')
}

/** With axes of size 1 put in front, up to a rank. */
export const padRank = (t: Tensor, rank: number): Tensor => (t.shape.length >= rank ? t : reshape(t, [...Array<number>(rank - t.shape.length).fill(1), ...t.shape]))
