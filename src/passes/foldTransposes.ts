import * as ops from '../ops/ops.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { rewriting } from './pass.js'

/** Products read a matrix that is stored the other way round as it is, instead of turning it first: most of all, gradients read weights. */
export const foldTransposes = rewriting(node => {
  if (isOp(node, 'linear')) {
    const [x, weight, bias] = node.inputs
    const stored = exchanged(weight!)
    // A row alone is no matrix yet.
    return stored === undefined || bias !== undefined || x!.shape.length < 2 ? node : ops.matmul(x!, stored)
  }
  if (!isOp(node, 'matmul')) return node
  const [a, b] = node.inputs as readonly [Tensor, Tensor]
  const [left, right] = [exchanged(a), exchanged(b)]
  const { transposeA, transposeB } = node.attributes
  return left === undefined && right === undefined ? node : ops.matmul(left ?? a, right ?? b, { transposeA: transposeA !== (left !== undefined), transposeB: transposeB !== (right !== undefined) })
})

/** What a transpose of the last two axes alone is made from. */
const exchanged = (t: Tensor): Tensor | undefined => {
  if (!isOp(t, 'transpose')) return undefined
  const { perm } = t.attributes
  const last = perm.length - 1
  return perm.length >= 2 && perm.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i)) ? t.inputs[0] : undefined
}
