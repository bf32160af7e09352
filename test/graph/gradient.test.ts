import { describe, expect, it } from 'vitest'
import { backwardOrder, gradient } from '../../src/graph/gradient/gradient.js'
import { collectNodes } from '../../src/graph/graph.js'
import { validate } from '../../src/graph/validate.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, type OpKind, type Tensor } from '../../src/ops/tensor.js'
import { optimise } from '../../src/passes/pipeline.js'
import { sizeOf, type Shape } from '../../src/shape/shape.js'
import { evaluateGraph, type Leaves } from '../evaluateGraph.js'
import { random } from '../random.js'

/** An op of batched inputs `x0, x1…` and of weights, unbatched. */
interface Case {
  readonly shapes?: readonly Shape[]
  readonly weights?: readonly Shape[]
  readonly make: (...leaves: readonly Tensor[]) => Tensor
}

const batch = 3
const image: Shape = [5, 6, 4]
const one = (op: (x: Tensor) => Tensor): readonly Case[] => [{ shapes: [[2, 5]], make: x => op(x!) }, { weights: [[3]], make: x => op(x!) }]
/** Above zero, where a logarithm is. */
const positive = (x: Tensor): Tensor => ops.add(ops.exp(x), ops.scalar(0.1))
const two = (op: (a: Tensor, b: Tensor) => Tensor): readonly Case[] => [
  { shapes: [[2, 3], [2, 3]], make: (a, b) => op(a!, b!) },
  { shapes: [[2, 3], [1, 3]], make: (a, b) => op(a!, b!) },
  { shapes: [[2, 3], [3]], make: (a, b) => op(b!, a!) },
  { shapes: [[2, 1]], weights: [[3]], make: (a, b) => op(a!, b!) },
  { shapes: [[3]], weights: [[4, 1]], make: (a, b) => op(b!, a!) },
  { weights: [[2, 3], []], make: (a, b) => op(a!, b!) },
  { shapes: [[]], weights: [[2, 2]], make: (a, b) => op(a!, b!) },
]
const reduced = (op: (x: Tensor, axes: readonly number[], keep?: boolean) => Tensor): readonly Case[] => [
  { shapes: [[2, 3, 4]], make: x => op(x!, [1]) },
  { shapes: [[2, 3, 4]], make: x => op(x!, [0, 2], true) },
  { weights: [[2, 3]], make: x => op(x!, [0, 1]) },
]
const windows = (op: (x: Tensor, how: { readonly size: readonly [number, number]; readonly strides: readonly [number, number]; readonly padding: readonly [readonly [number, number], readonly [number, number]] }) => Tensor): readonly Case[] => [
  { shapes: [image], make: x => op(x!, { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }) },
  { shapes: [image], make: x => op(x!, { size: [3, 2], strides: [1, 2], padding: [[1, 1], [0, 1]] }) },
  { weights: [image], make: x => op(x!, { size: [3, 3], strides: [2, 2], padding: [[1, 1], [1, 1]] }) },
]
const convolutions = ([[4, 3, 1, 2, 1], [4, 4, 4, 3, 2], [4, 8, 4, 2, 1], [4, 6, 2, 3, 2], [4, 2, 1, 1, 3]] as const).map(([channels, out, groups, size, stride]) => ({ how: { strides: [stride, 1], padding: [[1, 0], [0, 2]], groups } as const, weight: [out, channels / groups, size, size], result: [Math.floor((6 - size) / stride) + 1, 9 - size, out], size }))
const rows = ops.constant(Int32Array.of(3, 0, 3, 1), [2, 2])

/** Every op, in the ways its gradient may differ; an op without cases does not compile. */
const cases: { readonly [K in Exclude<OpKind, 'input' | 'parameter' | 'constant' | 'dropMask'>]: readonly Case[] } = {
  add: two(ops.add),
  subtract: two(ops.subtract),
  multiply: two(ops.multiply),
  divide: two((a, b) => ops.divide(a, positive(b))),
  maximum: two(ops.maximum),
  minimum: two(ops.minimum),
  power: [...one(x => ops.power(x, 3)), ...one(x => ops.power(positive(x), 1.5)), ...one(x => ops.power(positive(x), -2)), ...one(x => ops.add(ops.power(x, 0), x)), ...one(x => ops.power(x, 1))],
  exp: one(ops.exp),
  log: one(x => ops.log(positive(x))),
  sqrt: one(x => ops.sqrt(positive(x))),
  tanh: one(ops.tanh),
  sigmoid: one(ops.sigmoid),
  relu: one(ops.relu),
  step: one(x => ops.multiply(ops.step(x), x)),
  gelu: (['erf', 'tanh', 'quick'] as const).flatMap(form => one(x => ops.gelu(ops.multiply(x, ops.scalar(3)), form))),
  reshape: [{ shapes: [[2, 6]], make: x => ops.reshape(x!, [3, 4]) }],
  transpose: [{ shapes: [[2, 3, 4]], make: x => ops.transpose(x!, [2, 0, 1]) }],
  slice: [{ shapes: [[4, 3]], make: x => ops.slice(x!, [1, 0], [2, 3]) }, { shapes: [[6]], make: x => ops.concat([ops.slice(x!, [4], [2]), ops.exp(ops.slice(x!, [0], [2])), ops.slice(x!, [2], [2])], 0) }, { shapes: [[2, 3]], make: x => ops.add(ops.slice(x!, [0, 0], [2, 2]), ops.slice(x!, [0, 1], [2, 2])) }],
  pad: [{ shapes: [[2, 3]], make: x => ops.pad(x!, [1, 0], [4, 3]) }],
  broadcast: [{ shapes: [[2, 1]], make: x => ops.broadcast(x!, [2, 3]) }, { weights: [[3]], make: x => ops.broadcast(x!, [2, 3], true) }],
  concat: [{ shapes: [[2, 3], [2, 1]], make: (...xs) => ops.concat(xs, 1) }, { shapes: [[2, 3]], weights: [[1, 3]], make: (x, w) => ops.concat([w!, x!, w!], 0) }],
  gather: [{ weights: [[5, 3]], make: w => ops.gather(w!, rows) }, { weights: [[5]], make: w => ops.gather(w!, rows) }, { shapes: [[4, 3]], make: x => ops.gather(x!, rows) }, { shapes: [[4, 2]], make: x => ops.gather(x!, ops.argsort(ops.transpose(x!, [1, 0]))) }],
  scatterAdd: [{ weights: [[2, 2, 3]], make: w => ops.scatterAdd(rows, w!, 5) }, { shapes: [[2, 2, 3]], make: x => ops.scatterAdd(rows, x!, 5, false) }],
  argsort: [{ shapes: [[5], [5, 2]], make: (score, x) => ops.gather(x!, ops.slice(ops.argsort(score!, { descending: true }), [0], [3])) }],
  sum: reduced(ops.sum),
  mean: reduced(ops.mean),
  max: reduced(ops.max),
  batchSize: [{ shapes: [[3]], make: x => ops.multiply(x!, ops.batchSize()) }],
  batchSum: [{ shapes: [[3]], make: x => ops.multiply(x!, ops.batchSum(x!)) }],
  batchMean: [{ shapes: [[2]], make: x => ops.batchMean(ops.exp(x!)) }],
  batchReverse: [{ shapes: [[3]], make: x => ops.multiply(x!, ops.batchReverse(x!)) }],
  batchToAxis: [{ shapes: [[2]], make: x => (t => ops.matmul(t, t, { transposeB: true }))(ops.batchToAxis(x!, batch)) }],
  axisToBatch: [{ shapes: [[2]], weights: [[3, 2]], make: (x, w) => ops.multiply(x!, ops.axisToBatch(w!)) }],
  softmax: [{ shapes: [[2, 4]], make: x => ops.softmax(x!) }, { weights: [[4]], make: x => ops.softmax(x!) }],
  layerNorm: [{ shapes: [[2, 5]], make: x => ops.layerNorm(x!, 1e-3) }, { shapes: [[2, 2, 4]], weights: [[4], [4]], make: (x, g, b) => ops.layerNorm(x!, 0.1, { gamma: g!, beta: b! }) }],
  matmul: [
    ...[false, true].flatMap(transposeA => [false, true].flatMap(transposeB => [
      { shapes: [transposeA ? [2, 4, 3] : [2, 3, 4], transposeB ? [2, 5, 4] : [2, 4, 5]], make: (a: Tensor | undefined, b: Tensor | undefined) => ops.matmul(a!, b!, { transposeA, transposeB }) },
      { shapes: [transposeA ? [4, 3] : [3, 4]], weights: [transposeB ? [5, 4] : [4, 5]], make: (a: Tensor | undefined, b: Tensor | undefined) => ops.matmul(a!, b!, { transposeA, transposeB }) },
      { shapes: [transposeB ? [5, 4] : [4, 5]], weights: [transposeA ? [4, 3] : [3, 4]], make: (b: Tensor | undefined, a: Tensor | undefined) => ops.matmul(a!, b!, { transposeA, transposeB }) },
    ])),
    { shapes: [[2, 3, 4]], weights: [[4, 2]], make: (a, b) => ops.matmul(a!, b!) },
    { shapes: [[3, 4]], weights: [[2, 4, 2]], make: (a, b) => ops.matmul(a!, b!) },
    { weights: [[2, 3, 4], [4, 2]], make: (a, b) => ops.matmul(a!, b!) },
  ],
  linear: [{ shapes: [[2, 3, 4]], weights: [[5, 4], [5]], make: (x, w, b) => ops.linear(x!, w!, b) }, { shapes: [[4]], weights: [[5, 4]], make: (x, w) => ops.linear(x!, w!) }, { weights: [[3, 4], [5, 4], [5]], make: (x, w, b) => ops.linear(x!, w!, b) }],
  attention: [
    { shapes: [[3, 4], [5, 4], [5, 4]], make: (q, k, v) => ops.attention(q!, k!, v!, { numHeads: 2, scale: 0.7 }) },
    { shapes: [[2, 3, 4]], weights: [[2, 2, 3, 3]], make: (x, bias) => ops.attention(x!, x!, x!, { numHeads: 2, scale: 0.7 }, bias) },
    { shapes: [[3, 4]], weights: [[2, 4], [1, 2, 3]], make: (x, q, bias) => ops.attention(q!, x!, x!, { numHeads: 1, scale: 1 }, bias) },
    { shapes: [[2, 3, 4], [2, 3, 3]], make: (x, bias) => ops.attention(x!, x!, x!, { numHeads: 2, scale: 1 }, bias) },
  ],
  conv2d: [...convolutions.map(({ how, weight }) => ({ shapes: [image], weights: [weight, [weight[0]!]], make: (x: Tensor | undefined, w: Tensor | undefined, b: Tensor | undefined) => ops.conv2d(x!, w!, b, how) })), { weights: [image, [2, 4, 2, 2]], make: (x, w) => ops.conv2d(x!, w!, undefined, convolutions[0]!.how) }],
  maxPool: windows(ops.maxPool),
  averagePool: [true, false].flatMap(countPadding => windows((x, how) => ops.averagePool(x, { ...how, countPadding }))),
  geluGradient: (['erf', 'tanh', 'quick'] as const).map(form => ({ shapes: [[6], [6]], make: (x, dy) => ops.geluGradient(ops.multiply(x!, ops.scalar(2)), dy!, form) })),
  softmaxGradient: [{ shapes: [[2, 3], [2, 3]], make: (x, dy) => ops.softmaxGradient(x!, dy!) }],
  layerNormGradient: [{ shapes: [[2, 3], [2, 3]], make: (x, dy) => ops.layerNormGradient(x!, dy!, 0.1) }, { shapes: [[2, 4], [2, 4]], weights: [[4]], make: (x, dy, g) => ops.layerNormGradient(x!, dy!, 0.2, g) }],
  linearWeightGradient: [{ shapes: [[2, 3], [2, 4]], make: (x, dy) => ops.linearWeightGradient(x!, dy!) }, { weights: [[2, 2, 3], [2, 2, 4]], make: (x, dy) => ops.linearWeightGradient(x!, dy!) }],
  conv2dInputGradient: convolutions.map(({ how, weight, result }) => ({ shapes: [result], weights: [weight], make: (dy, w) => ops.conv2dInputGradient(dy!, w!, how, [5, 6]) })),
  conv2dWeightGradient: convolutions.map(({ how, result, size }) => ({ shapes: [image, result], make: (x, dy) => ops.conv2dWeightGradient(x!, dy!, how, [size, size]) })),
  maxPoolGradient: [{ shapes: [[4, 4, 2], [2, 2, 2]], make: (x, dy) => ops.maxPoolGradient(x!, dy!, { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }) }],
  after: [{ shapes: [[3]], make: x => ops.after(ops.exp(x!), x!) }],
  remat: [{ shapes: [[3]], weights: [[3]], make: (x, w) => ops.remat(ops.exp(ops.multiply(ops.tanh(x!), w!)), [x!]) }],
  // Finite differences see the change of what is detached, unless it is the same all around.
  detach: [{ shapes: [[3]], make: x => ops.multiply(x!, ops.detach(ops.step(x!))) }],
  fusedLinear: (['none', 'relu', 'silu', 'erf', 'tanh', 'quick'] as const).map(activation => ({ shapes: [[2, 3], [2, 4]], weights: [[4, 3], [4]], make: (x, residual, w, bias) => ops.fusedLinear(x!, w!, { bias, activation, residual }) })),
  packedAttention: [{ shapes: [[3, 12]], make: x => ops.packedAttention(x!, { numHeads: 2, scale: 0.6 }) }, { shapes: [[2, 3, 6]], weights: [[1, 1, 3, 3]], make: (x, bias) => ops.packedAttention(x!, { numHeads: 1, scale: 0.6 }, bias) },
    { shapes: [[2, 3, 12]], weights: [[2, 2, 3, 3]], make: (x, bias) => ops.packedAttention(x!, { numHeads: 2, scale: 0.6 }, bias) },
    { shapes: [[3, 12]], weights: [[3, 3]], make: (x, rows) => ops.packedAttention(x!, { numHeads: 2, scale: 0.6 }, ops.add(ops.reshape(rows!, [1, 3, 3]), ops.constant(Float32Array.of(0.5, -1), [2, 1, 1]))) },
    { shapes: [[3, 12]], make: x => ops.packedAttention(x!, { numHeads: 2, scale: 0.6 }, ops.constant(Float32Array.from({ length: 18 }, (_, i) => Math.sin(i)), [2, 3, 3])) },
    { shapes: [[3, 12], [2, 3, 3]], make: (x, bias) => ops.packedAttention(x!, { numHeads: 2, scale: 0.6 }, bias) },
    { shapes: [[2, 3, 3]], weights: [[3, 12]], make: (bias, qkv) => ops.packedAttention(qkv!, { numHeads: 2, scale: 0.6 }, bias) },
    { weights: [[2, 3, 12], [1, 2, 3, 3]], make: (qkv, bias) => ops.packedAttention(qkv!, { numHeads: 2, scale: 0.6 }, bias) }],
  packedAttentionGradient: [
    { shapes: [[3, 12], [3, 4]], make: (x, dy) => ops.packedAttentionGradient(x!, dy!, { numHeads: 2, scale: 0.6 }) },
    { shapes: [[3, 12], [3, 4]], weights: [[2, 3, 3]], make: (x, dy, bias) => ops.packedAttentionGradient(x!, dy!, { numHeads: 2, scale: 0.6, scores: true }, bias) },
  ],
  groupNorm: [{ shapes: [[2, 2, 4]], weights: [[4], [4]], make: (x, gamma, beta) => ops.groupNorm(x!, gamma!, beta!, { numGroups: 2, epsilon: 0.1, activation: 'silu' }) }],
  groupNormGradient: [{ shapes: [[2, 2, 4], [2, 2, 4]], weights: [[4]], make: (x, dy, gamma) => ops.groupNormGradient(x!, dy!, gamma!, { numGroups: 2, epsilon: 0.1 }) }],
  squareSum: [{ shapes: [[2, 3]], weights: [[3], []], make: (x, ...weights) => ops.squareSum([x!, ...weights] as readonly Tensor[]) }],
  elementwise: [{ shapes: [[2, 3]], weights: [[3]], make: (x, w) => ops.elementwise([x!, w!], [{ op: 'multiply', of: [0, 1] }, { op: 'sigmoid', of: [2] }, { op: 'multiply', of: [2, 3] }, { op: 'subtract', of: [4, 0] }]) }],
}

/** Pooling by the maximum has one derivative. */
const named = Object.entries(cases).flatMap(([op, list]) => list.map((c, i) => [op, i, c] as const)).filter(([op]) => op !== 'maxPoolGradient')
type Named = Tensor<'input' | 'parameter'>

const leavesOf = ({ shapes = [], weights = [] }: Case): readonly Named[] => [...shapes.map((shape, i) => ops.input(`x${i}`, shape)), ...weights.map((shape, i) => ops.parameter(`w${i}`, shape, { kind: 'zeros' }))]
/** One number: a weighted sum of all that the case gives, of which no two elements weigh the same. */
const lossOf = (y: Tensor, seed: number): Tensor => {
  const r = random(seed)
  const weighed = ops.multiply(y, ops.constant(r.values(sizeOf(y.shape)), y.shape))
  const total = ops.sum(weighed, y.shape.map((_, axis) => axis))
  return total.batched ? ops.batchMean(ops.multiply(total, total)) : ops.multiply(total, total)
}
const valuesFor = (leaves: readonly Named[], seed: number): Map<string, Float64Array> => {
  const r = random(seed)
  return new Map(leaves.map(t => [t.attributes.name, Float64Array.from(r.values((t.batched ? batch : 1) * sizeOf(t.shape)))]))
}
const from = (values: ReadonlyMap<string, Float64Array>): Leaves => node => (isOp(node, 'dropMask') ? [] : values.get((node as Named).attributes.name)!)

/** Every gradient of `loss` against central differences. */
const check = (loss: Tensor, leaves: readonly Named[], seed: number): void => {
  const { of, origin } = gradient(loss, leaves)
  const values = valuesFor(leaves, seed)
  expect(validate([loss, ...of.values()])).toEqual([])
  const before = new Set(collectNodes([loss]))
  for (const n of collectNodes([...of.values()])) if (!before.has(n)) expect(before.has(origin.get(n)!), `${n.op} has no origin`).toBe(true)
  const roots = optimise([...of.values()]) as readonly Tensor[]
  const computed = evaluateGraph(roots, batch, from(values))
  const step = 1e-5
  const at = (): number => evaluateGraph([loss], batch, from(values))[0]!.data[0]!
  ;[...of.keys()].forEach((leaf, i) => {
    expect([of.get(leaf)!.shape, of.get(leaf)!.batched]).toEqual([leaf.shape, leaf.batched])
    const data = values.get((leaf as Named).attributes.name)!
    const stride = Math.ceil(data.length / 40)
    data.forEach((value, j) => {
      if (j % stride !== 0) return
      data[j] = value + step
      const above = at()
      data[j] = value - step
      const slope = (above - at()) / (2 * step)
      data[j] = value
      expect(Math.abs(slope - computed[i]!.data[j]!), `element ${j} of ${(leaf as Named).attributes.name}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope)))
    })
  })
}

describe('the gradient of an op is what finite differences say', () => {
  it.each(named)('%s, case %i', (_, i, c) => {
    for (const seed of [i + 1, i + 101]) {
      const leaves = leavesOf(c)
      check(lossOf(c.make(...leaves), seed), leaves, seed)
    }
  })
})

describe('and so is the gradient of its gradient', () => {
  const differentiable = named.filter(([op]) => op !== 'maxPool')
  it.each(differentiable)('%s, case %i', (_, i, c) => {
    const leaves = leavesOf(c)
    const { of } = gradient(lossOf(c.make(...leaves), i + 7), leaves)
    const terms = [...of.values()].map((g, j) => lossOf(g, i + j + 13))
    check(terms.reduce((a, b) => ops.add(a, b)), leaves, i + 3)
  })

  it('but that of pooling by the maximum is refused', () => {
    const x = ops.input('x', image)
    const { of } = gradient(lossOf(ops.maxPool(x, { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }), 1), [x])
    expect(() => gradient(lossOf(of.get(x)!, 2), [x])).toThrow('a first derivative only')
  })
})

const numbers = (t: Tensor, values: Readonly<Record<string, readonly number[]>>): readonly number[] => Array.from(evaluateGraph([t], 1, node => values[(node as Named).attributes.name]!)[0]!.data)

describe('where there is no derivative, the choice is PyTorch’s', () => {
  const w = (name: string, ...shape: Shape): Tensor => ops.parameter(name, shape, { kind: 'zeros' })
  const slopes = (y: Tensor, of: readonly Tensor[], values: Readonly<Record<string, readonly number[]>>): readonly (readonly number[])[] => {
    const gradients = gradient(ops.sum(y, y.shape.map((_, axis) => axis)), of).of
    return of.map(t => numbers(gradients.get(t)!, values))
  }

  it('relu, equal operands, equal maxima, pooled ties', () => {
    const [a, b, i] = [w('a', 3), w('b', 3), w('i', 2, 2, 1)]
    expect(slopes(ops.relu(a), [a], { a: [-1, 0, 1] })).toEqual([[0, 0, 1]])
    expect(slopes(ops.maximum(a, b), [a, b], { a: [1, 2, 3], b: [3, 2, 1] })).toEqual([[0, 0.5, 1], [1, 0.5, 0]])
    expect(slopes(ops.minimum(a, b), [a, b], { a: [1, 2, 3], b: [3, 2, 1] })).toEqual([[1, 0.5, 0], [0, 0.5, 1]])
    expect(slopes(ops.max(a, [0]), [a], { a: [2, 1, 2] })).toEqual([[0.5, 0, 0.5]])
    expect(slopes(ops.maxPool(i, { size: [2, 2], strides: [1, 1], padding: [[0, 0], [0, 0]] }), [i], { i: [1, 2, 2, 2] })).toEqual([[0, 1, 0, 0]])
    expect(slopes(ops.power(a, 1), [a], { a: [0, 1, 2] })).toEqual([[1, 1, 1]])
  })
})

describe('only what leads from the tensors asked for to the loss is differentiated', () => {
  const x = ops.input('x', [4])
  const [w, frozen, other] = ['w', 'frozen', 'other'].map(name => ops.parameter(name, [4, 4], { kind: 'zeros' })) as [Tensor, Tensor, Tensor]
  const loss = lossOf(ops.linear(ops.linear(x, frozen), w), 1)

  it('frozen weights cost nothing', () => {
    const { of, origin } = gradient(loss, [w])
    expect([...of.keys()]).toEqual([w])
    const made = [...origin.keys()]
    expect(made.filter(n => n.op === 'linearWeightGradient')).toHaveLength(1)
    expect(made.filter(n => n.op === 'linear')).toHaveLength(0)
  })

  it('what the loss does not depend on has no gradient', () => expect([...gradient(loss, [other, x]).of.keys()]).toEqual([x]))

  it('a loss for each sample, or of many numbers, is refused', () => {
    expect(() => gradient(ops.sum(x, [0]), [x])).toThrow('must be one number that all samples share')
    expect(() => gradient(ops.batchMean(x), [x])).toThrow('must be one number that all samples share')
  })

  it('gradients of the last parameters come first', () => {
    const gradients = gradient(loss, [frozen, w])
    expect(backwardOrder(loss, gradients)).toEqual([loss, gradients.of.get(w), gradients.of.get(frozen)])
  })

  it('and a graph of hundreds of layers is no deeper than a stack', () => {
    let y: Tensor = x
    for (let i = 0; i < 3000; i++) y = ops.tanh(ops.add(y, x))
    expect(gradient(lossOf(y, 1), [x]).of.has(x)).toBe(true)
  })
})
