import fc from 'fast-check'
import { gradient } from '../../src/graph/gradient/gradient.js'
import * as ops from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { sizeOf } from '../../src/shape/shape.js'

const channels = 5
const parameter = (name: string, shape: readonly number[]): Tensor => ops.parameter(name, shape, { kind: 'zeros' })
const weight = parameter('k', [channels, channels])
const perChannel = parameter('c', [channels])
const rows = (t: Tensor): number => t.shape.at(-2)!
/** A place along each axis: `at` along that of the rows, and of the images where there are some. */
const along = (t: Tensor, at: number, image = 0): readonly number[] => t.shape.map((_, axis) => (axis === t.shape.length - 2 ? at : axis === 0 && t.shape.length > 2 ? image : 0))
const sized = (t: Tensor, count: number, images = t.shape[0]!): readonly number[] => t.shape.map((size, axis) => (axis === t.shape.length - 2 ? count : axis === 0 && t.shape.length > 2 ? images : size))

/** Normalised over all places and the channels of a group, as the layer does it. */
const groupNorm = (a: Tensor, groups: number): Tensor => {
  const [places, each] = [sizeOf(a.shape) / channels, channels / groups]
  const apart = ops.transpose(ops.reshape(a, [places, groups, each]), [1, 0, 2])
  const normal = ops.layerNorm(ops.reshape(apart, [groups, places * each]), 0.1)
  const together = ops.reshape(ops.transpose(ops.reshape(normal, [groups, places, each]), [1, 0, 2]), a.shape)
  return ops.add(ops.multiply(together, perChannel), ops.tanh(perChannel))
}

/**
 * Steps on tensors of many rows, `[rows, 5]` or `[images, rows, 5]`: what is done to each row, few of them cut out or put
 * among zeros, sums and attention over them; and what shares memory with something else, or meets itself.
 */
const steps: readonly ((a: Tensor, b: Tensor, n: number) => Tensor)[] = [
  (a, _, n) => ops.slice(a, along(a, n % rows(a)), sized(a, 1)),
  (a, _, n) => ops.slice(a, along(a, n % (rows(a) - 1)), sized(a, 2)),
  (a, _, n) => ops.slice(a, along(a, 0, n % a.shape[0]!), sized(a, rows(a), 1)),
  (a, _, n) => ops.slice(a, [...a.shape.map(() => 0).slice(1), n % 3], [...a.shape.slice(0, -1), 2]),
  (a, _, n) => ops.pad(a, along(a, n % (10 - rows(a))), sized(a, 9)),
  (a, _, n) => ops.pad(a, along(a, n % 2, n % 2), sized(a, rows(a) + 2, a.shape[0]! + 1)),
  ops.add, ops.subtract, ops.multiply, ops.maximum, ops.add, ops.multiply,
  a => ops.multiply(a, a),
  a => ops.add(a, ops.reshape(a, [1, ...a.shape])),
  (a, b) => ops.divide(a, ops.exp(ops.tanh(b))),
  a => ops.multiply(ops.add(ops.tanh(a), perChannel), ops.sigmoid(a)),
  a => ops.relu(a),
  a => ops.tanh(a),
  (a, _, n) => ops.gelu(a, (['erf', 'tanh', 'quick'] as const)[n % 3]!),
  a => ops.softmax(a),
  (a, _, n) => ops.layerNorm(a, 0.1, n % 2 === 0 ? undefined : { gamma: perChannel, beta: perChannel }),
  (a, _, n) => groupNorm(a, n % 2 === 0 ? 1 : channels),
  (a, _, n) => [ops.relu, (x: Tensor) => ops.gelu(x, 'tanh'), (x: Tensor) => ops.gelu(x)][n % 3]!(groupNorm(a, n < 5 ? 1 : channels)),
  (a, _, n) => ops.linear(a, weight, n % 2 === 0 ? perChannel : undefined),
  (a, _, n) => ops.linear(a, weight, n % 2 === 0 ? perChannel : undefined),
  a => ops.gelu(ops.linear(a, weight, perChannel)),
  (a, b) => ops.attention(a, b, b, { numHeads: 1, scale: 0.5 }),
  a => ops.attention(a, a, a, { numHeads: 5, scale: 0.5 }),
  (a, b) => ops.concat([a, b], a.shape.length - 2),
  (a, b) => ops.concat([ops.slice(b, along(b, 0), sized(b, 1)), a], a.shape.length - 2),
  (a, _, n) => ops.sum(a, [n % (a.shape.length - 1)], true),
  (a, _, n) => ops.mean(a, [n % a.shape.length], true),
  a => ops.reshape(a, [sizeOf(a.shape) / channels, channels]),
  (a, _, n) => ops.reshape(a, [1 + (n % 3), sizeOf(a.shape) / channels / (1 + (n % 3)), channels]),
  a => ops.transpose(a, [...a.shape.map((_, axis) => axis).slice(0, -2).reverse(), a.shape.length - 2, a.shape.length - 1]),
  a => ops.transpose(a, a.shape.length === 3 ? [1, 0, 2] : [0, 1]),
  // Rolled, as Swin's windows are.
  (a, _, n) => ops.concat([ops.slice(a, along(a, 1 + (n % (rows(a) - 1))), sized(a, rows(a) - 1 - (n % (rows(a) - 1)))), ops.slice(a, along(a, 0), sized(a, 1 + (n % (rows(a) - 1))))], a.shape.length - 2),
  // Channels and rows change places, and nothing in the shapes says so.
  a => {
    const square = ops.slice(a, along(a, 0), sized(a, channels))
    return ops.concat([ops.transpose(square, a.shape.length === 2 ? [1, 0] : [0, 2, 1]), square], a.shape.length - 2)
  },
  (a, _, n) => ops.gather(a, ops.constant(Int32Array.of(0, n % a.shape[0]!, 0), [3])),
  (a, b) => ops.after(a, b),
  a => (a.batched ? ops.remat(a, [a.inputs[0] ?? a]) : a),
  a => (a.batched ? ops.add(a, ops.batchMean(a)) : a),
  a => (a.batched ? ops.multiply(ops.tanh(ops.batchSum(a)), a) : a),
  (a, b) => ops.softmaxGradient(ops.softmax(a), b),
  (a, b) => ops.layerNormGradient(a, b, 0.1, perChannel),
]

/** Tensors of a random graph, several of which use one another, and a number that depends on the first. */
export interface TallGraph {
  readonly outputs: readonly Tensor[]
  readonly loss: Tensor
  readonly leaves: readonly Tensor[]
}

const build = (choices: readonly { readonly op: number; readonly a: number; readonly b: number; readonly n: number }[]): TallGraph => {
  const leaves = [ops.input('x', [8, channels]), ops.input('y', [2, 9, channels]), weight, perChannel, parameter('w', [8, channels])]
  const nodes: Tensor[] = [leaves[0]!, leaves[1]!, leaves[4]!, ops.linear(leaves[0]!, weight, perChannel)]
  for (const { op, a, b, n } of choices) {
    // The latest are taken more often, so that graphs are deep.
    const [x, y] = [nodes.at(-1 - (a % Math.min(nodes.length, 5)))!, nodes[b % nodes.length]!]
    try {
      const made = steps[op]!(x, y, n)
      if (made.shape.length >= 2 && sizeOf(made.shape) <= 300 && sizeOf(made.shape) > 0 && made.shape.at(-1) === channels) nodes.push(made)
    } catch (fault) {
      if (!(fault instanceof Error && fault.name === 'OpError')) throw fault
    }
  }
  const outputs = nodes.slice(-3).reverse()
  const last = outputs.find(t => t.batched) ?? leaves[0]!
  const loss = ops.batchMean(ops.sum(ops.multiply(last, ops.tanh(last)), last.shape.map((_, axis) => axis)))
  return { outputs, loss, leaves }
}

/** Random graphs, of which much is computed that only some rows are needed of. */
export const tallGraph: fc.Arbitrary<TallGraph> = fc.array(fc.record({ op: fc.nat(steps.length - 1), a: fc.nat(30), b: fc.nat(30), n: fc.nat(9) }), { minLength: 4, maxLength: 25 }).map(build)

/** What a training step of such a graph gives: its outputs, the loss, and its gradients. */
export const withGradients = ({ outputs, loss, leaves }: TallGraph): readonly Tensor[] => {
  const { of } = gradient(loss, leaves)
  return [...outputs, loss, ...leaves.flatMap(leaf => of.get(leaf) ?? [])]
}
