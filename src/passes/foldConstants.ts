import { evaluate } from '../ops/definition/define.js'
import { fill } from '../ops/definition/value.js'
import { constant } from '../ops/ops.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { rewriting } from './pass.js'

/** Computes what depends on constants alone (position tables, masks), once and in double precision. */
export const foldConstants = rewriting(node => {
  if (node.inputs.length === 0 || node.batched || !node.inputs.every(x => isOp(x, 'constant'))) return node
  const values = (node.inputs as readonly Tensor<'constant'>[]).map(x => fill([1, ...x.shape], i => x.attributes.data[i]!))
  const { data } = evaluate(node, values, 1)
  return constant(node.dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data), node.shape)
})
