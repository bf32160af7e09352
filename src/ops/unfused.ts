import { concat, reshape, slice, transpose } from './axes.js'
import { attention, linear, matmul } from './contractions.js'
import { layerNormGradient, softmaxGradient } from './adjoints.js'
import * as elementwise from './elementwise.js'
import { sizeOf } from '../shape/shape.js'
import { scalar } from './leaves.js'
import { linearOperands } from './linearOperands.js'
import { layerNorm, sum } from './reductions.js'
import type { FusedActivation, Tensor } from './tensor.js'

/** Ops that stand for several others. */
export type FusedKind = 'fusedLinear' | 'packedAttention' | 'packedAttentionGradient' | 'groupNorm' | 'groupNormGradient' | 'squareSum' | 'elementwise'

/** What each fused op means, in ops that are not fused, over the same inputs. All else that is to be known of them is read off this. */
const meanings: { readonly [K in FusedKind]: (node: Tensor<K>) => Tensor } = {
  fusedLinear: ({ inputs, attributes: { activation, residual } }) => {
    const { x, weight, bias, residual: added } = linearOperands(inputs, residual)
    const activated = activate(linear(x, weight, bias), activation)
    return added === undefined ? activated : elementwise.add(activated, added)
  },
  packedAttention: ({ inputs: [qkv, bias], attributes }) => {
    const [q, k, v] = thirds(qkv!)
    return attention(q, k, v, attributes, bias)
  },
  packedAttentionGradient: ({ inputs: [qkv, dy, bias], attributes: { numHeads, scale, scores = false } }) => {
    const rank = qkv!.shape.length
    const exchanged = [...qkv!.shape.slice(0, -2).map((_, axis) => axis), rank - 1, rank - 2, rank]
    const heads = (t: Tensor): Tensor => transpose(reshape(t, [...t.shape.slice(0, -1), numHeads, t.shape.at(-1)! / numHeads]), exchanged)
    const [q, k, v] = thirds(qkv!).map(heads) as [Tensor, Tensor, Tensor]
    const by = (t: Tensor): Tensor => elementwise.multiply(t, scalar(scale))
    const given = heads(dy!)
    const compared = matmul(by(q), k, { transposeB: true })
    const weights = elementwise.softmax(bias === undefined ? compared : elementwise.add(compared, bias))
    const slopes = softmaxGradient(weights, matmul(given, v, { transposeB: true }))
    const parts = [by(matmul(slopes, k)), matmul(slopes, by(q), { transposeA: true }), matmul(weights, given, { transposeA: true })]
    const wide = scores ? [...parts, slopes] : parts
    return concat(wide.map(t => reshape(transpose(t, exchanged), [...dy!.shape.slice(0, -1), numHeads * t.shape.at(-1)!])), rank - 1)
  },
  groupNorm: ({ inputs: [x, gamma, beta], attributes: { numGroups, epsilon, activation } }) => {
    const { rows, image } = grouped(x!, numGroups)
    return activate(elementwise.add(elementwise.multiply(image(layerNorm(rows(x!), epsilon)), gamma!), beta!), activation)
  },
  groupNormGradient: ({ inputs: [x, dy, gamma], attributes: { numGroups, epsilon } }) => {
    const { rows, image } = grouped(x!, numGroups)
    return image(layerNormGradient(rows(x!), rows(elementwise.multiply(dy!, gamma!)), epsilon))
  },
  squareSum: ({ inputs }) => total(inputs.map(x => sum(elementwise.multiply(x, x), x.shape.map((_, axis) => axis)))),
  elementwise: ({ inputs, attributes: { steps } }) => {
    const known = [...inputs]
    for (const { op, of } of steps) known.push((elementwise[op] as (...operands: readonly Tensor[]) => Tensor)(...of.map(i => known[i]!)))
    return known.at(-1)!
  },
}

/** Halves are added, so that thousands nest but a dozen deep. */
const total = (terms: readonly Tensor[]): Tensor => {
  const half = Math.ceil(terms.length / 2)
  return terms.length === 1 ? terms[0]! : elementwise.add(total(terms.slice(0, half)), total(terms.slice(half)))
}

/** From the shape of `like` to its groups as rows, and back. */
const grouped = ({ shape }: Tensor, numGroups: number): { readonly rows: (t: Tensor) => Tensor; readonly image: (t: Tensor) => Tensor } => {
  const [places, inGroup] = [sizeOf(shape.slice(0, -1)), shape.at(-1)! / numGroups]
  return {
    rows: t => reshape(transpose(reshape(t, [places, numGroups, inGroup]), [1, 0, 2]), [numGroups, places * inGroup]),
    image: t => reshape(transpose(reshape(t, [numGroups, places, inGroup]), [1, 0, 2]), shape),
  }
}

const activate = (x: Tensor, activation: FusedActivation): Tensor => {
  if (activation === 'none') return x
  if (activation === 'relu') return elementwise.relu(x)
  return activation === 'silu' ? elementwise.multiply(x, elementwise.sigmoid(x)) : elementwise.gelu(x, activation)
}

const thirds = (qkv: Tensor): readonly [Tensor, Tensor, Tensor] => {
  const size = [...qkv.shape.slice(0, -1), qkv.shape.at(-1)! / 3]
  return [0, 1, 2].map(i => slice(qkv, size.map((n, axis) => (axis === size.length - 1 ? i * n : 0)), size)) as [Tensor, Tensor, Tensor]
}

/** Whether a node stands for several others. */
export const isFused = (node: Tensor): node is Tensor<FusedKind> => node.op in meanings

/** The same value by ops that are not fused, over the node's own inputs. */
export const unfused = (node: Tensor<FusedKind>): Tensor => (meanings[node.op] as (node: Tensor) => Tensor)(node)

/** The nodes of {@link unfused}, each after its inputs, the fused node's own inputs left out. */
export const partsOf = (node: Tensor<FusedKind>): readonly Tensor[] => {
  const seen = new Set<Tensor>(node.inputs)
  const order: Tensor[] = []
  const visit = (t: Tensor): void => {
    if (seen.has(t)) return
    seen.add(t)
    t.inputs.forEach(visit)
    order.push(t)
  }
  visit(unfused(node))
  return order
}

