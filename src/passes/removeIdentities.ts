import { isOp, type Tensor } from '../ops/tensor.js'
import { sameShape } from '../shape/shape.js'
import { rewriting } from './pass.js'

/** Whether every element is known to be `value`; a scalar that meets a larger rank comes as a reshape of one. */
const isConstant = (t: Tensor | undefined, value: number): boolean =>
  t !== undefined && (isOp(t, 'reshape') ? isConstant(t.inputs[0], value) : isOp(t, 'constant') && t.attributes.data.every(x => x === value))

const unlessAll = (node: Tensor): Tensor => (sameShape(node.shape, node.inputs[0]!.shape) ? node.inputs[0]! : node)

/** The other side of a sum with 0 or a product with 1, if it alone has the result's shape and batch. */
const neutral = (node: Tensor, value: number, sides: readonly number[]): Tensor | undefined =>
  sides.map(i => ({ kept: node.inputs[1 - i]!, other: node.inputs[i] })).find(({ kept, other }) => isConstant(other, value) && sameShape(kept.shape, node.shape) && kept.batched === node.batched)?.kept

/**
 * Takes out what changes nothing: reshapes to the same shape and reshapes of reshapes, transposes that move
 * no axis, slices of everything, paddings by nothing, joins of one, sums with 0, products with 1.
 */
export const removeIdentities = rewriting({
  reshape: node => {
    const x = node.inputs[0]!
    if (sameShape(node.shape, x.shape)) return x
    return x.op === 'reshape' ? (sameShape(node.shape, x.inputs[0]!.shape) ? x.inputs[0]! : Object.freeze({ ...node, inputs: x.inputs })) : node
  },
  transpose: node => (node.attributes.perm.every((axis, i) => axis === i) ? node.inputs[0]! : node),
  slice: node => unlessAll(node),
  pad: node => unlessAll(node),
  concat: node => (node.inputs.length === 1 ? node.inputs[0]! : node),
  add: node => neutral(node, 0, [0, 1]) ?? node,
  subtract: node => neutral(node, 0, [1]) ?? node,
  multiply: node => neutral(node, 1, [0, 1]) ?? node,
  divide: node => neutral(node, 1, [1]) ?? node,
})
