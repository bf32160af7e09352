import { node } from './node.js'
import type { Tensor } from './tensor.js'

/**
 * `x`, but not before `awaited` has been computed: what follows from it runs late. `[...] → [...]`.
 *
 * @example
 * ops.after(ops.scalar(1), ops.input('x', [3])).shape // []
 */
export const after = (x: Tensor, awaited: Tensor): Tensor<'after'> => node('after', [x, awaited], {}, x.shape, x.dtype)

/**
 * `x` as a fixed value: no gradient passes through it, so that `a + b − detach(b)` has the value of `a` and the gradient
 * of both. `[...] → [...]`.
 *
 * @example
 * gradient(ops.detach(ops.parameter('x', [], { kind: 'ones' })), []).of.size // 0
 */
export const detach = (x: Tensor): Tensor<'detach'> => node('detach', [x], {}, x.shape, x.dtype)

/**
 * `y`, which `gradient` computes anew from `from` where it needs what led to it, instead of having it kept.
 * Where there is no gradient it is `y` itself. `[...] → [...]`.
 *
 * @example
 * ops.remat(ops.relu(ops.input('x', [3])), []).op // 'remat'
 */
export const remat = (y: Tensor, from: readonly Tensor[]): Tensor<'remat'> => node('remat', [y, ...from], {}, y.shape, y.dtype)
