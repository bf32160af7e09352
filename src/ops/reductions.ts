import { sameShape, show } from '../shape/shape.js'
import { demand, node } from './node.js'
import type { Attributes, Tensor } from './tensor.js'

const reduction = <K extends 'sum' | 'mean' | 'max'>(op: K) => (x: Tensor, axes: readonly number[], keepDims = false): Tensor<K> => {
  demand(axes.every(axis => axis >= 0 && axis < x.shape.length), () => `${op}: axes ${axes.join()} lie outside ${show(x.shape)}`)
  const shape = keepDims ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size)) : x.shape.filter((_, i) => !axes.includes(i))
  return node(op, [x], { axes, keepDims } as Attributes[K], shape)
}

/**
 * The sum over some axes, which are dropped, or with `keepDims` stay with size 1.
 *
 * @example
 * ops.sum(ops.input('x', [14, 14, 192]), [0, 1]).shape // [192]
 */
export const sum = reduction('sum')
/**
 * The mean over some axes, which are dropped, or with `keepDims` stay with size 1.
 *
 * @example
 * ops.mean(ops.input('x', [14, 14, 192]), [0, 1]).shape // [192]
 */
export const mean = reduction('mean')
/**
 * The largest over some axes, which are dropped, or with `keepDims` stay with size 1.
 *
 * @example
 * ops.max(ops.input('x', [14, 14, 192]), [0, 1]).shape // [192]
 */
export const max = reduction('max')

/**
 * How many samples a run has: a single number, known only then.
 *
 * @example
 * ops.batchSize().shape // []
 */
export const batchSize = (): Tensor<'batchSize'> => node('batchSize', [], {}, [])

/**
 * The sum over the batch, which all samples then share: `batched [...] → [...]`.
 *
 * @example
 * ops.batchSum(ops.input('x', [3])).batched // false
 */
export const batchSum = (x: Tensor): Tensor<'batchSum'> => {
  demand(x.batched, 'batchSum: expects a batched tensor')
  return node('batchSum', [x], {}, x.shape)
}

/**
 * The mean over the batch, which all samples then share: `batched [...] → [...]`.
 *
 * @example
 * ops.batchMean(ops.input('x', [3])).batched // false
 */
export const batchMean = (x: Tensor): Tensor<'batchMean'> => {
  demand(x.batched, 'batchMean: expects a batched tensor')
  return node('batchMean', [x], {}, x.shape)
}

/**
 * `(x − mean) / √(variance + ε)` over the last axis, biased variance (Ba et al., 2016), then `· gamma + beta` if given, `[dim]`
 * each: `[..., dim] → [..., dim]`.
 *
 * @example
 * ops.layerNorm(ops.input('x', [197, 192]), 1e-6).shape // [197, 192]
 */
export const layerNorm = (x: Tensor, epsilon: number, affine?: { readonly gamma: Tensor; readonly beta: Tensor }): Tensor<'layerNorm'> => {
  demand(x.shape.length >= 1, 'layerNorm: expects a channel axis')
  demand(affine === undefined || [affine.gamma, affine.beta].every(t => !t.batched && sameShape(t.shape, x.shape.slice(-1))), 'layerNorm: scale and shift are not one unbatched number a channel')
  return node('layerNorm', affine === undefined ? [x] : [x, affine.gamma, affine.beta], { epsilon }, x.shape)
}
