import { isOp, type Tensor } from '../ops/tensor.js'
import { rewriting, type Pass } from './pass.js'

/**
 * Makes nodes that compute the same from the same inputs into one. Random masks are the same only if their
 * stream is, which their attributes say. Nodes nothing needs any more are gone: a graph is what its roots
 * reach, so this is also where dead code ends.
 */
export const shareSubexpressions: Pass = roots => {
  const ids = new Map<Tensor, number>()
  const known = new Map<string, Tensor[]>()
  const id = (t: Tensor): number => {
    const found = ids.get(t) ?? ids.size
    ids.set(t, found)
    return found
  }
  return rewriting(node => {
    // Callers feed inputs, and inputs are told apart by who they are.
    if (node.op === 'input') return node
    const key = `${node.op}|${node.inputs.map(id).join()}|${node.shape.join()}|${attributesKey(node)}`
    const alike = known.get(key) ?? []
    const twin = alike.find(t => !isOp(node, 'constant') || sameData(node, t as Tensor<'constant'>))
    if (twin === undefined) known.set(key, [...alike, node])
    return twin ?? node
  })(roots)
}

const attributesKey = (node: Tensor): string => (isOp(node, 'constant') ? `${node.dtype}:${digest(node.attributes.data)}` : JSON.stringify(node.attributes))

const digest = (data: ArrayLike<number>): string => {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum = (Math.imul(sum, 31) + Math.imul(data[i]! * 65536, 1)) | 0
  return `${data.length}:${sum}`
}

const sameData = (a: Tensor<'constant'>, b: Tensor<'constant'>): boolean => a.attributes.data.every((x, i) => Object.is(x, b.attributes.data[i]))
