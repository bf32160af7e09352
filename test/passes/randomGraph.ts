import fc from 'fast-check'
import * as ops from '../../src/ops/ops.js'
import { isOp, type Signal, type Tensor } from '../../src/ops/tensor.js'
import { sizeOf } from '../../src/shape/shape.js'
import { random } from '../random.js'
import { evaluateGraph, type Leaves } from '../evaluateGraph.js'

/** One thing to try: an op by its number, and which of the nodes there are it is given. */
interface Step {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly n: number
}

const integers = (count: number, n: number): Float32Array => Float32Array.from({ length: count }, (_, i) => ((i * 7 + n) % 5) - 2)
const sameAs = (x: Tensor, value: number): Tensor => ops.constant(new Float32Array(sizeOf(x.shape)).fill(value), x.shape)
const reversed = (x: Tensor): readonly number[] => x.shape.map((_, i) => x.shape.length - 1 - i)

/** Ops whose results are whole numbers where their inputs are: constant folding, which rounds to float32, is exact on them. */
const exact: readonly ((a: Tensor, b: Tensor, n: number) => Tensor)[] = [
  (_, __, n) => ops.constant(integers(6, n), [2, 3]),
  (_, __, n) => ops.constant(integers(3, n), [3]),
  (_, __, n) => ops.scalar((n % 3) - 1),
  (_, __, n) => ops.constant(Float32Array.from({ length: 6 }, () => n % 2), [2, 3]),
  ops.add, ops.subtract, ops.multiply, ops.maximum, ops.minimum, ops.add, ops.multiply,
  a => ops.relu(a),
  a => ops.step(a),
  a => ops.power(a, 2),
  a => ops.reshape(a, a.shape),
  a => ops.reshape(a, [sizeOf(a.shape)]),
  a => ops.reshape(a, [1, ...a.shape]),
  a => ops.reshape(a, [3, sizeOf(a.shape) / 3]),
  a => ops.transpose(a, reversed(a)),
  a => ops.transpose(a, a.shape.map((_, i) => i)),
  a => ops.slice(a, a.shape.map(() => 0), a.shape),
  (a, _, n) => ops.slice(a, a.shape.map((_, i) => (i === 0 ? n % 2 : 0)), a.shape.map((size, i) => (i === 0 ? size - (n % 2) : size))),
  (a, _, n) => ops.pad(a, a.shape.map((_, i) => (i === 0 ? n % 2 : 0)), a.shape.map((size, i) => size + (i === 0 ? n % 3 : 0))),
  (a, _, n) => ops.broadcast(a, a.shape.map(size => (size === 1 ? 1 + (n % 3) : size))),
  (a, b) => ops.after(a, b),
  (a, b) => (a.batched ? ops.remat(a, [b]) : a),
  a => ops.concat([a], 0),
  (a, b, n) => ops.concat([a, b, a], n % Math.max(1, a.shape.length)),
  (a, _, n) => ops.sum(a, [n % Math.max(1, a.shape.length)], n % 2 === 0),
  (a, _, n) => ops.max(a, [n % Math.max(1, a.shape.length)]),
  (a, _, n) => ops.gather(a, ops.constant(Int32Array.of(0, n % a.shape[0]!, 0), [3])),
  (a, b) => ops.matmul(a, b, { transposeB: true }),
  (a, b) => ops.linear(a, b),
  a => ops.add(a, sameAs(a, 0)),
  a => ops.add(ops.scalar(0), a),
  a => ops.subtract(a, ops.scalar(0)),
  a => ops.multiply(sameAs(a, 1), a),
  a => ops.divide(a, ops.scalar(1)),
  // Looks neutral, but is not: the other side alone has not the result's shape.
  a => ops.add(a, ops.constant(new Float32Array(2 * Math.max(1, sizeOf(a.shape))), [2, ...(a.shape.length === 0 ? [1] : a.shape)])),
  a => ops.subtract(ops.scalar(0), a),
]

/** Ops that leave the whole numbers; never given what could be folded. */
const smooth: readonly ((a: Tensor, b: Tensor, n: number) => Tensor)[] = [
  a => ops.tanh(a),
  a => ops.sigmoid(a),
  a => ops.softmax(a),
  a => ops.layerNorm(a, 0.1),
  (a, _, n) => ops.gelu(a, (['erf', 'tanh', 'quick'] as const)[n % 3]!),
  a => ops.log(ops.exp(ops.tanh(a))),
  (a, b, n) => ops.geluGradient(a, b, (['erf', 'tanh', 'quick'] as const)[n % 3]!),
  (a, b) => ops.softmaxGradient(ops.softmax(a), b),
  (a, b) => ops.layerNormGradient(a, b, 0.1),
  (a, _, n) => ops.mean(a, [n % Math.max(1, a.shape.length)]),
  a => ops.exp(ops.tanh(a)),
  a => ops.sqrt(ops.relu(a)),
  (a, b) => ops.divide(a, ops.exp(ops.tanh(b))),
  a => ops.attention(a, a, a, { numHeads: 1, scale: 0.5 }),
  a => ops.multiply(a, ops.dropMask('one', 0.5, a.shape)),
  a => ops.multiply(a, ops.dropMask('other', 0.5, a.shape)),
  a => (a.batched ? ops.add(a, ops.batchMean(a)) : a),
  a => (a.batched ? ops.multiply(a, ops.tanh(ops.batchSum(a))) : a),
  (a, b) => ops.add(ops.broadcast(b, b.shape, true), a),
]

const weight = ops.parameter('k', [3, 3], { kind: 'zeros' })
const channels = ops.parameter('c', [3], { kind: 'zeros' })
const activated: readonly ((x: Tensor) => Tensor)[] = [x => ops.relu(x), x => ops.gelu(x), x => ops.gelu(x, 'tanh'), x => ops.multiply(x, ops.sigmoid(x)), x => ops.multiply(ops.sigmoid(x), x)]
const third = (x: Tensor, i: number): Tensor => ops.slice(x, x.shape.map((_, axis) => (axis === x.shape.length - 1 ? i : 0)), [...x.shape.slice(0, -1), 1])

/** What passes join: maps with scales before and behind them, activations and residuals, products with what is turned, attention on slices. */
const joinable: readonly ((a: Tensor, b: Tensor, n: number) => Tensor)[] = [
  (a, _, n) => ops.linear(a, weight, n % 2 === 0 ? channels : undefined),
  (a, _, n) => activated[n % 5]!(ops.linear(a, weight, channels)),
  (a, b, n) => ops.add(ops.linear(a, weight, n % 2 === 0 ? channels : undefined), b),
  (a, b) => ops.add(b, ops.gelu(ops.linear(a, weight))),
  (a, _, n) => ops.multiply(ops.linear(a, weight, n % 2 === 0 ? channels : undefined), channels),
  (a, _, n) => ops.add(ops.multiply(channels, ops.linear(a, weight, n % 2 === 0 ? channels : undefined)), ops.exp(channels)),
  a => ops.linear(ops.add(ops.multiply(a, channels), ops.tanh(channels)), weight),
  (a, _, n) => ops.linear(ops.multiply(a, channels), weight, n % 2 === 0 ? channels : undefined),
  a => ops.linear(a, ops.transpose(weight, [1, 0])),
  (a, b, n) => ops.matmul(ops.transpose(a, reversed(a)), n % 2 === 0 ? ops.transpose(b, reversed(b)) : b),
  a => ops.attention(third(a, 0), third(a, 1), third(a, 2), { numHeads: 1, scale: 0.5 }),
  a => ops.attention(third(a, 1), third(a, 0), third(a, 2), { numHeads: 1, scale: 0.5 }),
  (a, b) => ops.multiply(ops.subtract(ops.exp(ops.tanh(a)), b), ops.sigmoid(a)),
]

/** The values of leaves: those of one name are the same, whichever node asks. */
export const leaves: Leaves = (node, count) => {
  const name = isOp(node, 'dropMask') ? node.attributes.stream : (node.attributes as { readonly name: string }).name
  const r = random(name.length * 977 + name.charCodeAt(name.length - 1))
  return isOp(node, 'dropMask') ? Array.from({ length: count }, () => (r.chance(node.attributes.keep) ? 1 / node.attributes.keep : 0)) : r.values(count)
}

const build = (steps: readonly Step[]): readonly Signal[] => {
  const nodes: Tensor[] = [ops.input('x', [2, 3]), ops.input('y', [3]), ops.parameter('w', [2, 3], { kind: 'zeros' }), ops.constant(integers(6, 1), [2, 3]), ops.constant(integers(9, 0), [3, 3])]
  const isFixed = new Map<Tensor, boolean>()
  const fixed = (t: Tensor): boolean => {
    const known = isFixed.get(t) ?? (t.op === 'constant' || (t.inputs.length > 0 && t.inputs.every(fixed)))
    isFixed.set(t, known)
    return known
  }
  for (const { op, a, b, n } of steps) {
    const [x, y] = [nodes[a % nodes.length]!, nodes[b % nodes.length]!]
    const make = exact[op] ?? smooth[op - exact.length] ?? joinable[op - exact.length - smooth.length]!
    if (op >= exact.length && (fixed(x) || fixed(y))) continue
    try {
      const made = make(x, y, n)
      if (sizeOf(made.shape) > 100) continue
      // Whole numbers that a float32 no longer holds would round when folded.
      if (fixed(made) && evaluateGraph([made], 1, leaves)[0]!.data.some(v => Math.abs(v) > 2 ** 20)) continue
      nodes.push(made)
    } catch (fault) {
      if (!(fault instanceof Error && fault.name === 'OpError')) throw fault
    }
  }
  // The last nodes made, some of them in a record.
  const [last, ...others] = nodes.slice(-4).reverse() as [Tensor, ...Tensor[]]
  return [last, { first: others[0]!, rest: { second: others[1]! } }, others[2]!]
}

/** The roots of a random graph, of every kind of op, with much in it that passes can take out. */
export const randomGraph: fc.Arbitrary<readonly Signal[]> = fc
  .array(fc.record({ op: fc.nat(exact.length + smooth.length + joinable.length - 1), a: fc.nat(30), b: fc.nat(30), n: fc.nat(9) }), { minLength: 4, maxLength: 40 })
  .map(build)
