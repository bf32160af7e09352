import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import { linearOperands } from '../../ops/linearOperands.js'
import { valueShape } from '../../ops/tensor.js'
import { bySlices, product } from './product.js'
import { cut } from './cut.js'
import { activated } from './gelu.js'
import type { Lowering } from './lowering.js'
import { tile } from './tile.js'
import type { Workspace } from './workspace.js'

/** Repeats what has no batch over the batch, where a kernel does not broadcast. */
export const overBatch = (w: Workspace, x: TensorInfo, batch: number): TensorInfo =>
  x.shape[0] === batch ? x : tile(w, x, x.shape.map((_, axis) => (axis === 0 ? batch : 1)))

/**
 * Products over the last two axes. Leading axes are made equal first: tfjs's cpu kernel broadcasts only whole batches. One
 * right-hand factor for all is one 2-D product over all rows.
 */
export const matmul: Lowering<'matmul'> = {
  needs: ['BatchMatMul', 'Transpose', 'Tile', 'Reshape'],
  run: (w, [a, b], node, batch) => {
    const { transposeA, transposeB } = node.attributes
    if (!transposeA && sizeOf(b!.shape.slice(0, -2)) === 1) {
      const [inner, matrix] = [a!.shape.at(-1)!, b!.shape.slice(-2)]
      const whole = product(w, w.reshape(a!, [1, sizeOf(a!.shape) / inner, inner]), w.reshape(b!, [1, ...matrix]), { transposeB })
      return w.reshape(whole, valueShape(node, batch))
    }
    const leading = a!.shape.slice(0, -2).map((size, axis) => Math.max(size, b!.shape[axis]!))
    const spread = (x: TensorInfo): TensorInfo => (leading.every((size, axis) => size === x.shape[axis]) ? x : tile(w, x, [...leading.map((size, axis) => size / x.shape[axis]!), 1, 1]))
    return product(w, spread(a!), spread(b!), { transposeA, transposeB })
  },
}

/** On wasm any batch or transpose falls off the fast path: so the weight is turned to `[in, out]` beforehand, once for all. */
const turned: NonNullable<Lowering<'linear' | 'fusedLinear'>['adapt']> = { input: 1, form: 'transposed', make: (w, weight) => w.call('Transpose', { x: w.reshape(weight, weight.shape.slice(1)) }, { perm: [1, 0] }) }

/** Rows of all samples as one 2-D product, and what follows it, in one kernel as far as the backend has one: `[rows, in] → [rows, out]`. */
const affine = (w: Workspace, x: TensorInfo, weight: TensorInfo, bias: TensorInfo | undefined, activation: 'linear' | 'relu'): TensorInfo => {
  const [inner, out] = weight.shape as [number, number]
  const [a, b] = [w.reshape(x, [1, sizeOf(x.shape) / inner, inner]), w.reshape(weight, [1, inner, out])]
  const flat = bias === undefined ? {} : { bias: w.reshape(bias, [out]) }
  if (w.has('_FusedMatMul')) return w.call('_FusedMatMul', { a, b, ...flat }, { transposeA: false, transposeB: false, activation, leakyreluAlpha: 0 })
  const plain = w.call('BatchMatMul', { a, b }, { transposeA: false, transposeB: false })
  const shifted = flat.bias === undefined ? plain : w.call('Add', { a: plain, b: flat.bias })
  return activation === 'relu' ? w.call('Relu', { x: shifted }) : shifted
}

/** One product, and its bias. */
export const linear: Lowering<'linear'> = {
  needs: ['BatchMatMul', 'Transpose', 'Reshape', 'Add'],
  adapt: turned,
  run: (w, [x, weight, bias], node, batch) => w.reshape(affine(w, x!, weight!, bias, 'linear'), valueShape(node, batch)),
}

/** The same with what follows; tfjs's fused product knows `relu`, but no GELU. */
export const fusedLinear: Lowering<'fusedLinear'> = {
  needs: ['BatchMatMul', 'Transpose', 'Reshape', 'Add', 'Relu', 'Multiply', 'Sigmoid', 'Erf', 'Tanh'],
  adapt: turned,
  run: (w, inputs, node, batch) => {
    const { activation, residual } = node.attributes
    const { x, weight, bias, residual: added } = linearOperands(inputs, residual)
    const isRelu = activation === 'relu'
    const mapped = w.reshape(affine(w, x, weight, bias, isRelu ? 'relu' : 'linear'), valueShape(node, batch))
    const made = isRelu ? mapped : activated(w, mapped, activation)
    return added === undefined ? made : w.call('Add', { a: made, b: added })
  },
}

/** Queries, keys and values by head, `[rows, heads, tokens, headDim]`; keys `[rows, heads, headDim, tokens]` where they are turned. */
interface Heads {
  readonly q: TensorInfo
  readonly k: TensorInfo
  readonly v: TensorInfo
  readonly isTurned: boolean
}

const softmax = (w: Workspace, logits: TensorInfo): TensorInfo => (w.has('ShaderSoftmax') ? w.call('ShaderSoftmax', { x: logits }) : w.call('Softmax', { logits }, { dim: logits.shape.length - 1 }))

/** Two batched products with a softmax between; the leading axes are `leading`, folded into the heads' first. */
const attended = (w: Workspace, { q, k, v, isTurned }: Heads, leading: readonly number[], scale: number, bias: TensorInfo | undefined): TensorInfo => {
  const scaled = scale === 1 ? q : w.call('Multiply', { a: q, b: w.scalar(scale) })
  const scores = product(w, scaled, k, { transposeB: !isTurned })
  const shifted = bias === undefined ? scores : w.reshape(w.call('Add', { a: w.reshape(scores, [...leading, ...scores.shape.slice(1)]), b: bias }), scores.shape)
  return w.call('Transpose', { x: product(w, softmax(w, shifted), v) }, { perm: [0, 2, 1, 3] })
}

/** `[batch, ..., tokens, dim] → [batch · ..., heads, tokens, headDim]`, or its last two the other way round. */
const heads = (w: Workspace, x: TensorInfo, numHeads: number, isTurned = false): TensorInfo => {
  const [tokens, dim] = x.shape.slice(-2) as [number, number]
  return w.call('Transpose', { x: w.reshape(x, [sizeOf(x.shape) / (tokens * dim), tokens, numHeads, dim / numHeads]) }, { perm: isTurned ? [0, 2, 3, 1] : [0, 2, 1, 3] })
}

/** Attention as two batched products with a softmax between. */
export const attention: Lowering<'attention'> = {
  needs: ['BatchMatMul', 'Transpose', 'Multiply', 'Softmax', 'Reshape', 'Add', 'Tile'],
  run: (w, [queries, keys, values, bias], node, batch) => {
    const { numHeads, scale } = node.attributes
    // Leading axes are folded into the batch, so all three must have all of it.
    const [q, k, v] = [queries, keys, values].map(x => overBatch(w, x!, node.batched ? batch : 1)) as [TensorInfo, TensorInfo, TensorInfo]
    const isTurned = w.has(bySlices)
    const parts: Heads = { q: heads(w, q, numHeads), k: heads(w, k, numHeads, isTurned), v: heads(w, v, numHeads), isTurned }
    return w.reshape(attended(w, parts, q.shape.slice(0, -2), scale, bias), valueShape(node, batch))
  },
}

/** One transpose brings all heads of queries, keys and values together; each of the three is then a block of it. */
export const packedAttention: Lowering<'packedAttention'> = {
  needs: ['BatchMatMul', 'Transpose', 'Multiply', 'Softmax', 'Reshape', 'Add', 'Slice', 'Tile'],
  run: (w, [given, bias], node, batch) => {
    const { numHeads, scale } = node.attributes
    const [tokens, dim] = node.shape.slice(-2) as [number, number]
    const qkv = overBatch(w, given!, node.batched ? batch : 1)
    const [leading, headDim] = [qkv.shape.slice(0, -2), dim / numHeads]
    const rows = sizeOf(leading)
    const all = heads(w, qkv, 3 * numHeads)
    const [q, k, v] = [0, 1, 2].map(i => cut(w, all, [0, i * numHeads, 0, 0], [rows, numHeads, tokens, headDim])) as [TensorInfo, TensorInfo, TensorInfo]
    return w.reshape(attended(w, { q, k, v, isTurned: false }, leading, scale, bias), valueShape(node, batch))
  },
}

