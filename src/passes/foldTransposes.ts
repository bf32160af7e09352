import * as ops from '../ops/ops.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { rewriting } from './pass.js'

/**
 * Products read a matrix that is stored the other way round as it is, instead of turning it first: most of all, gradients
 * read weights.
 *
 * Worth, on wasm with one thread: a gradient of 16×65 rows through a linear map of ViT-Ti is 1.02 times faster.
 */
export const foldTransposes = rewriting({
  linear: node => {
    const [x, weight, bias] = node.inputs
    // A row alone is no matrix yet.
    if (!isOp(weight!, 'transpose') || bias !== undefined || x!.shape.length < 2) return node
    const { matrix, isTurned } = stored(weight)
    return isTurned ? ops.matmul(x!, matrix) : node
  },
  matmul: node => {
    const [a, b] = node.inputs.map(t => stored(t))
    const { transposeA, transposeB } = node.attributes
    return a!.matrix === node.inputs[0] && b!.matrix === node.inputs[1] ? node : ops.matmul(a!.matrix, b!.matrix, { transposeA: transposeA !== a!.isTurned, transposeB: transposeB !== b!.isTurned })
  },
})

/** What transposes of the last two axes alone are made from, and whether they leave it turned. */
const stored = (t: Tensor, isTurned = false): { readonly matrix: Tensor; readonly isTurned: boolean } => {
  if (!isOp(t, 'transpose')) return { matrix: t, isTurned }
  const { perm } = t.attributes
  const last = perm.length - 1
  const exchanges = last > 0 && perm.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i))
  return exchanges ? stored(t.inputs[0]!, !isTurned) : { matrix: t, isTurned }
}
