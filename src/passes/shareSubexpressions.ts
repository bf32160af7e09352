import { isLeaf, isOp, type Tensor } from '../ops/tensor.js'
import { sameShape } from '../shape/shape.js'
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
    const key = `${node.op}|${isLeaf(node) ? leafKey(node) : ''}|${node.inputs.map(id).join()}`
    const alike = known.get(key)
    if (alike === undefined) known.set(key, [node])
    const twin = alike?.find(t => isSame(t, node))
    if (twin === undefined) alike?.push(node)
    return twin ?? node
  })(roots)
}

/** What tells leaves apart; other nodes are mostly told apart by their inputs. */
const leafKey = (node: Tensor): string => {
  if (isOp(node, 'constant')) return `${node.dtype}:${digest(node.attributes.data)}`
  return isOp(node, 'parameter') ? node.attributes.name : JSON.stringify(node.attributes)
}

/** Whether two nodes of one key are the same: few come so far, so that only for those attributes are written out. */
const isSame = (a: Tensor, b: Tensor): boolean => {
  if (!sameShape(a.shape, b.shape)) return false
  if (isOp(a, 'constant')) return sameData(a, b as Tensor<'constant'>)
  return a.op === 'parameter' || JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
}

const digest = (data: ArrayLike<number>): string => {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum = (Math.imul(sum, 31) + Math.imul(data[i]! * 65536, 1)) | 0
  return `${data.length}:${sum}`
}

const sameData = (a: Tensor<'constant'>, b: Tensor<'constant'>): boolean => a.attributes.data.every((x, i) => Object.is(x, b.attributes.data[i]))
