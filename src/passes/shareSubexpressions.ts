import { isOp, type Tensor } from '../ops/tensor.js'
import { sameShape } from '../shape/shape.js'
import { rewriting, type Pass } from './pass.js'

/**
 * Makes nodes that compute the same from the same inputs into one. Random masks are the same only if their
 * stream is, which their attributes say. Nodes nothing needs any more are gone: a graph is what its roots
 * reach, so this is also where dead code ends.
 */
export const shareSubexpressions: Pass = roots => {
  const known = new Map<number, Tensor>()
  const keyOf = keys()
  return rewriting(node => {
    // Callers feed inputs, and inputs are told apart by who they are.
    if (node.op === 'input') return node
    // Other nodes may have the same key; each of them then has the next one that is free.
    for (let key = keyOf(node); ; key++) {
      const twin = known.get(key)
      if (twin === undefined) known.set(key, node)
      if (twin === undefined || isSame(twin, node)) return twin ?? node
    }
  })(roots)
}

/** What tells a node from others of its op and inputs: of a parameter its name alone, and its shape. */
const detailsOf = (node: Tensor): unknown => (isOp(node, 'parameter') ? node.attributes.name : node.attributes)

const isSame = (a: Tensor, b: Tensor): boolean => a.op === b.op && a.inputs.length === b.inputs.length && a.inputs.every((x, i) => x === b.inputs[i]) && sameShape(a.shape, b.shape) && a.dtype === b.dtype && isAlike(detailsOf(a), detailsOf(b))

const isAlike = (a: unknown, b: unknown): boolean => {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (isNumbers(a) && isNumbers(b)) return sameNumbers(a, b)
  const [ours, theirs] = [Object.entries(a), Object.entries(b)]
  return ours.length === theirs.length && ours.every(([name, value]) => isAlike(value, (b as Readonly<Record<string, unknown>>)[name]))
}

/** Tables of windows are long, and nearly all that are compared are the same. */
const sameNumbers = (a: Float32Array | Int32Array, b: Float32Array | Int32Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false
  return true
}

const isNumbers = (x: object): x is Float32Array | Int32Array => ArrayBuffer.isView(x)

/** Of a table of numbers so many are looked at for its key. */
const samples = 16

/** Keys of nodes: the same for the same, seldom the same for others. What is no number has one by when it was first seen. */
const keys = (): ((node: Tensor) => number) => {
  const seen = new Map<unknown, number>()
  const numberOf = (x: unknown): number => {
    const known = seen.get(x) ?? seen.size
    if (known === seen.size) seen.set(x, known)
    return known
  }
  const mixed = (key: number, x: unknown): number => {
    if (typeof x !== 'object' || x === null) return scrambled(key ^ numberOf(x))
    if (!isNumbers(x)) return Object.values(x).reduce<number>(mixed, key)
    const stride = Math.max(1, Math.floor(x.length / samples))
    let sum = scrambled(key ^ x.length)
    for (let i = 0; i < x.length; i += stride) sum = mixed(sum, x[i])
    return sum
  }
  return node => mixed(node.inputs.reduce((key, x) => scrambled(key ^ numberOf(x)), numberOf(node.op)), detailsOf(node))
}

const scrambled = (key: number): number => {
  const product = Math.imul(key, 0x9e3779b1)
  return product ^ (product >>> 15)
}
