import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { tfjsWasm } from '../../src/backends/tfjs-wasm/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { defineLayer, type AnyLayer } from '../../src/layers/core/layer.js'
import { input, inputs, integerInput, type AnyModel, type Model } from '../../src/layers/core/model.js'
import type { ShapeFunction } from '../../src/shape/shapeFunction.js'
import * as ops from '../../src/ops/ops.js'
import type { OpKind, Signal, Tensor } from '../../src/ops/tensor.js'
import { sizeOf, type Shape } from '../../src/shape/shape.js'
import { initialise } from '../../src/weights/initialise.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { valueOf } from '../support/either.js'

/** A graph with one op of interest, over inputs of these shapes and weights of its own. */
interface Case {
  readonly shapes: readonly Shape[]
  readonly weights?: Readonly<Record<string, Shape>>
  readonly make: (inputs: readonly Tensor[], weights: Readonly<Record<string, Tensor>>) => Tensor
}

const batch = 3
const image: Shape = [5, 7, 6]
const padding = [[1, 0], [0, 1]] as const
const elementwise = (op: (x: Tensor) => Tensor): readonly Case[] => [{ shapes: [[3, 5]], make: ([x]) => op(x!) }, { shapes: [[7]], make: ([x]) => op(x!) }]
const pairwise = (op: (a: Tensor, b: Tensor) => Tensor): readonly Case[] => [
  { shapes: [[3, 5], [3, 5]], make: ([a, b]) => op(a!, b!) },
  { shapes: [[3, 5], [5]], make: ([a, b]) => op(a!, b!) },
  { shapes: [[3, 1], [1, 5]], make: ([a, b]) => op(a!, b!) },
  { shapes: [[3, 5]], weights: { w: [5] }, make: ([a], { w }) => op(a!, w!) },
  { shapes: [[5]], weights: { w: [3, 5] }, make: ([a], { w }) => op(w!, a!) },
  { shapes: [[2, 3]], make: ([a]) => op(a!, ops.scalar(0.75)) },
]
const reductions = (op: (x: Tensor, axes: readonly number[], keep?: boolean) => Tensor): readonly Case[] => [
  { shapes: [[4, 3, 5]], make: ([x]) => op(x!, [0]) },
  { shapes: [[4, 3, 5]], make: ([x]) => op(x!, [1, 2]) },
  { shapes: [[4, 3, 5]], make: ([x]) => op(x!, [0, 2], true) },
  { shapes: [[4, 3]], make: ([x]) => op(x!, [0, 1]) },
]
const convolution = (channelsIn: number, out: number, groups: number, size: number, stride: number): Case => ({
  shapes: [[9, 8, channelsIn]],
  weights: { w: [out, channelsIn / groups, size, size], b: [out] },
  make: ([x], { w, b }) => ops.conv2d(x!, w!, b, { strides: [stride, stride], padding, groups }),
})

/** Channels in and out, groups, the kernel's size, the stride; over 9×8, with the padding above. */
const geometries: readonly (readonly [number, number, number, number, number])[] = [[6, 4, 1, 3, 1], [6, 6, 6, 3, 2], [6, 12, 6, 2, 1], [6, 4, 2, 3, 2], [3, 8, 1, 1, 1], [5, 3, 1, 2, 3]]
const resultOf = (size: number, stride: number, out: number): Shape => [Math.floor((10 - size) / stride) + 1, Math.floor((9 - size) / stride) + 1, out]

/** Every op, more than once; an op without cases does not compile. */
const cases: { readonly [K in Exclude<OpKind, 'input' | 'parameter' | 'constant' | 'dropMask'>]: readonly Case[] } = {
  add: pairwise(ops.add),
  subtract: pairwise(ops.subtract),
  multiply: pairwise(ops.multiply),
  divide: pairwise((a, b) => ops.divide(a, ops.exp(b))),
  maximum: pairwise(ops.maximum),
  minimum: pairwise(ops.minimum),
  power: [2, 3, -1, 0.5, 0].flatMap(exponent => elementwise(x => ops.power(ops.exp(x), exponent))).concat(elementwise(x => ops.power(x, 3))),
  exp: elementwise(ops.exp),
  log: elementwise(x => ops.log(ops.exp(ops.multiply(x, ops.scalar(4))))),
  sqrt: elementwise(x => ops.sqrt(ops.exp(x))),
  tanh: elementwise(ops.tanh),
  sigmoid: elementwise(ops.sigmoid),
  relu: elementwise(ops.relu),
  step: [...elementwise(ops.step), ...elementwise(x => ops.step(ops.relu(x)))],
  gelu: (['erf', 'tanh', 'quick'] as const).flatMap(form => elementwise(x => ops.gelu(ops.multiply(x, ops.scalar(3)), form))),
  reshape: [{ shapes: [[4, 6]], make: ([x]) => ops.reshape(x!, [3, 8]) }, { shapes: [[4, 6]], make: ([x]) => ops.reshape(x!, [24]) }],
  transpose: [{ shapes: [[2, 3, 4]], make: ([x]) => ops.transpose(x!, [2, 0, 1]) }, { shapes: [[2, 3, 4, 2, 3]], make: ([x]) => ops.transpose(x!, [0, 2, 1, 4, 3]) }],
  slice: [{ shapes: [[5, 6]], make: ([x]) => ops.slice(x!, [1, 2], [3, 4]) }, { shapes: [[5, 2, 3]], make: ([x]) => ops.slice(x!, [4, 0, 1], [1, 2, 1]) }],
  pad: [{ shapes: [[3, 4]], make: ([x]) => ops.pad(x!, [1, 2], [5, 6]) }, { shapes: [[2, 3, 2, 3, 2]], make: ([x]) => ops.pad(x!, [0, 0, 1, 2, 0], [2, 3, 4, 5, 2]) }, { shapes: [[2, 3]], make: ([x]) => ops.pad(x!, [0, 0], [2, 3]) }],
  broadcast: [
    { shapes: [[3, 1]], make: ([x]) => ops.broadcast(x!, [2, 3, 4]) },
    { shapes: [[3]], weights: { w: [1, 3] }, make: ([x], { w }) => ops.concat([ops.broadcast(w!, [2, 3], true), ops.broadcast(x!, [2, 3])], 0) },
  ],
  concat: [
    { shapes: [[2, 3], [4, 3]], make: xs => ops.concat(xs, 0) },
    { shapes: [[2, 3]], weights: { w: [1, 3] }, make: ([x], { w }) => ops.concat([w!, x!, w!], 0) },
    { shapes: [[2, 3], [2, 1]], make: xs => ops.concat(xs, 1) },
  ],
  gather: [
    { shapes: [], weights: { w: [5, 3] }, make: (_, { w }) => ops.add(ops.gather(w!, ops.constant(Int32Array.of(4, 0, 2, 2), [2, 2])), ops.scalar(0)) },
    { shapes: [[5, 3]], make: ([x]) => ops.gather(x!, ops.constant(Int32Array.of(4, 0, 2, 2), [2, 2])) },
    { shapes: [[5, 2, 3], [7]], make: ([x, score]) => ops.gather(x!, ops.argsort(ops.slice(score!, [1], [5]))) },
    { shapes: [[4], [3, 4]], make: ([x, score]) => ops.gather(x!, ops.argsort(score!)) },
    { shapes: [[5]], weights: { w: [5, 3] }, make: ([score], { w }) => ops.gather(w!, ops.argsort(score!)) },
  ],
  scatterAdd: [
    { shapes: [[2, 2, 3]], make: ([x]) => ops.add(ops.mean(x!, [0, 1, 2]), ops.scatterAdd(ops.constant(Int32Array.of(4, 0, 2, 2), [2, 2]), ops.batchSum(x!), 5)) },
    { shapes: [], weights: { w: [4] }, make: (_, { w }) => ops.scatterAdd(ops.constant(Int32Array.of(1, 1, 1, 0), [4]), w!, 3) },
    { shapes: [[2, 2, 3]], make: ([x]) => ops.scatterAdd(ops.constant(Int32Array.of(4, 0, 2, 2), [2, 2]), x!, 5, false) },
    { shapes: [[6, 3], [6]], make: ([x, score]) => ops.scatterAdd(ops.argsort(score!), x!, 7, false) },
    { shapes: [[6], [6]], make: ([x, score]) => ops.scatterAdd(ops.argsort(score!), x!, 6) },
  ],
  // Orders made floats by a table; steps are often equal.
  argsort: [7, 300].flatMap(n => [false, true].flatMap(descending => [(x: Tensor) => x, ops.step].map(of => ({ shapes: [[2, n]], weights: { w: [n] }, make: ([x]: readonly Tensor[], { w }: Readonly<Record<string, Tensor>>) => ops.gather(w!, ops.argsort(of(x!), { descending })) })))),
  sum: reductions(ops.sum),
  mean: reductions(ops.mean),
  max: reductions(ops.max),
  batchSize: [{ shapes: [[4]], make: ([x]) => ops.multiply(x!, ops.batchSize()) }],
  batchSum: [{ shapes: [[2, 3]], make: ([x]) => ops.subtract(x!, ops.batchSum(x!)) }],
  batchMean: [{ shapes: [[2, 3]], make: ([x]) => ops.subtract(x!, ops.batchMean(x!)) }],
  batchReverse: [{ shapes: [[2, 3]], make: ([x]) => ops.subtract(x!, ops.batchReverse(x!)) }, { shapes: [[2, 3, 2, 2]], make: ([x]) => ops.batchReverse(x!) }],
  batchToAxis: [{ shapes: [[4]], make: ([x]) => ops.add(ops.mean(x!, [0], true), ops.reshape(ops.matmul(ops.batchToAxis(x!, batch), ops.batchToAxis(x!, batch), { transposeB: true }), [batch * batch])) }],
  axisToBatch: [{ shapes: [[2, 4]], weights: { w: [3, 2, 4] }, make: ([x], { w }) => ops.add(ops.add(x!, ops.axisToBatch(w!)), ops.axisToBatch(ops.constant(Float32Array.from({ length: 24 }, (_, i) => i), [3, 2, 4]))) }],
  softmax: [{ shapes: [[3, 5]], make: ([x]) => ops.softmax(ops.multiply(x!, ops.scalar(20))) }, { shapes: [[2, 3, 197]], make: ([x]) => ops.softmax(x!) }],
  layerNorm: [
    { shapes: [[3, 12]], make: ([x]) => ops.layerNorm(x!, 1e-6) },
    { shapes: [[2, 3, 7]], weights: { g: [7], b: [7] }, make: ([x], { g, b }) => ops.layerNorm(ops.multiply(x!, ops.scalar(0.01)), 1e-5, { gamma: g!, beta: b! }) },
  ],
  matmul: [
    { shapes: [[3, 4], [4, 5]], make: ([a, b]) => ops.matmul(a!, b!) },
    { shapes: [[2, 3, 4], [2, 5, 4]], make: ([a, b]) => ops.matmul(a!, b!, { transposeB: true }) },
    { shapes: [[2, 4, 3], [4, 5]], make: ([a, b]) => ops.matmul(a!, b!, { transposeA: true }) },
    { shapes: [[4, 3]], weights: { w: [5, 4] }, make: ([a], { w }) => ops.matmul(a!, w!, { transposeA: true, transposeB: true }) },
    { shapes: [[4, 3]], weights: { w: [5, 4] }, make: ([a], { w }) => ops.matmul(w!, a!) },
  ],
  linear: [
    { shapes: [[3, 6]], weights: { w: [9, 6], b: [9] }, make: ([x], { w, b }) => ops.linear(x!, w!, b) },
    { shapes: [[6]], weights: { w: [4, 6] }, make: ([x], { w }) => ops.linear(x!, w!) },
    { shapes: [[2, 3, 5]], weights: { w: [8, 5], v: [8, 5] }, make: ([x], { w, v }) => ops.linear(x!, ops.add(w!, v!)) },
  ],
  attention: [
    { shapes: [[5, 12], [5, 12], [5, 12]], make: ([q, k, v]) => ops.attention(q!, k!, v!, { numHeads: 3, scale: 0.5 }) },
    { shapes: [[2, 6], [9, 6], [9, 6]], make: ([q, k, v]) => ops.attention(q!, k!, v!, { numHeads: 1, scale: 2 }) },
    { shapes: [[4, 10], [4, 10], [4, 10]], weights: { bias: [2, 4, 4] }, make: ([q, k, v], { bias }) => ops.attention(q!, k!, v!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[4, 10], [4, 10], [4, 10], [2, 4, 4]], make: ([q, k, v, bias]) => ops.attention(q!, k!, v!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[4, 8]], weights: { q: [3, 8] }, make: ([k], { q }) => ops.attention(q!, k!, k!, { numHeads: 2, scale: 1 }) },
    { shapes: [[2, 5, 12], [2, 5, 12], [2, 5, 12]], make: ([q, k, v]) => ops.attention(q!, k!, v!, { numHeads: 3, scale: 0.5 }) },
    { shapes: [[2, 4, 10], [2, 6, 10], [2, 6, 10]], weights: { bias: [2, 4, 6] }, make: ([q, k, v], { bias }) => ops.attention(q!, k!, v!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[2, 4, 10], [2, 4, 10], [2, 4, 10]], weights: { bias: [2, 2, 4, 4] }, make: ([q, k, v], { bias }) => ops.attention(q!, k!, v!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[2, 4, 10], [2, 4, 10], [2, 4, 4]], make: ([q, k, bias]) => ops.attention(q!, k!, q!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[2, 4, 8]], weights: { q: [2, 3, 8], bias: [2, 1, 3, 4] }, make: ([k], { q, bias }) => ops.attention(q!, k!, k!, { numHeads: 1, scale: 1 }, bias) },
  ],
  conv2d: geometries.map(geometry => convolution(...geometry)),
  maxPool: [{ shapes: [image], make: ([x]) => ops.maxPool(x!, { size: [3, 2], strides: [2, 1], padding }) }, { shapes: [image], make: ([x]) => ops.maxPool(x!, { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }) }],
  averagePool: [true, false].flatMap(countPadding => [
    { shapes: [image], make: ([x]: readonly Tensor[]) => ops.averagePool(x!, { size: [3, 3], strides: [2, 2], padding, countPadding }) },
    { shapes: [image], make: ([x]: readonly Tensor[]) => ops.averagePool(x!, { size: [2, 2], strides: [1, 1], padding: [[0, 0], [0, 0]], countPadding }) },
  ]),
  geluGradient: (['erf', 'tanh', 'quick'] as const).flatMap(form => [[3, 5], [7], [2, 3, 8]].map(shape => ({ shapes: [shape, shape], make: ([x, dy]: readonly Tensor[]) => ops.geluGradient(ops.multiply(x!, ops.scalar(5)), dy!, form) }))),
  softmaxGradient: [[3, 5], [2, 3, 19], [8]].map(shape => ({ shapes: [shape, shape], make: ([x, dy]) => ops.softmaxGradient(ops.softmax(ops.multiply(x!, ops.scalar(3))), dy!) })),
  layerNormGradient: [
    { shapes: [[3, 12], [3, 12]], make: ([x, dy]) => ops.layerNormGradient(x!, dy!, 1e-6) },
    { shapes: [[2, 3, 7], [2, 3, 7]], weights: { g: [7] }, make: ([x, dy], { g }) => ops.layerNormGradient(ops.add(ops.multiply(x!, ops.scalar(2)), ops.scalar(30)), dy!, 1e-5, g) },
  ],
  linearWeightGradient: [
    { shapes: [[7, 5], [7, 3]], make: ([x, dy]) => ops.linearWeightGradient(x!, dy!) },
    { shapes: [[6], [10]], make: ([x, dy]) => ops.linearWeightGradient(x!, dy!) },
    { shapes: [[2, 3, 9], [2, 3, 4]], make: ([x, dy]) => ops.linearWeightGradient(x!, dy!) },
  ],
  conv2dInputGradient: geometries.map(([channels, out, groups, size, stride]) => {
    const how = { strides: [stride, stride], padding, groups } as const
    return { shapes: [resultOf(size, stride, out)], weights: { w: [out, channels / groups, size, size] }, make: ([dy], { w }) => ops.conv2dInputGradient(dy!, w!, how, [9, 8]) }
  }),
  conv2dWeightGradient: geometries.map(([channels, out, groups, size, stride]) => {
    const how = { strides: [stride, stride], padding, groups } as const
    return { shapes: [[9, 8, channels], resultOf(size, stride, out)], make: ([x, dy]) => ops.conv2dWeightGradient(x!, dy!, how, [size, size]) }
  }),
  // Whole numbers are often equal.
  maxPoolGradient: [
    { shapes: [image, [3, 7, 6]], make: ([x, dy]) => ops.maxPoolGradient(x!, dy!, { size: [2, 2], strides: [2, 1], padding }) },
    { shapes: [image, [2, 3, 6]], make: ([x, dy]) => ops.maxPoolGradient(x!, dy!, { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }) },
    { shapes: [image, [5, 7, 6]], make: ([x, dy]) => ops.maxPoolGradient(ops.step(x!), dy!, { size: [3, 3], strides: [1, 1], padding: [[1, 1], [1, 1]] }) },
    { shapes: [[6, 6, 3], [3, 3, 3]], make: ([x, dy]) => ops.maxPoolGradient(ops.step(x!), dy!, { size: [3, 3], strides: [2, 2], padding: [[1, 1], [1, 1]] }) },
  ],
  after: [{ shapes: [[2, 3], [4]], make: ([x, y]) => ops.add(ops.after(x!, y!), x!) }],
  remat: [{ shapes: [[2, 3]], make: ([x]) => ops.remat(ops.exp(x!), [x!]) }],
  detach: [{ shapes: [[2, 3]], make: ([x]) => ops.detach(ops.exp(x!)) }],
  fusedLinear: (['none', 'relu', 'silu', 'erf', 'tanh', 'quick'] as const).flatMap(activation => [
    { shapes: [[3, 6], [3, 9]], weights: { w: [9, 6], b: [9] }, make: ([x, residual], { w, b }) => ops.fusedLinear(x!, w!, { bias: b!, activation, residual: residual! }) },
    { shapes: [[2, 5, 7]], weights: { w: [16, 7], v: [16, 7] }, make: ([x], { w, v }) => ops.fusedLinear(x!, ops.add(w!, v!), { activation }) },
    { shapes: [[7], [12]], weights: { w: [12, 7] }, make: ([x, residual], { w }) => ops.fusedLinear(x!, w!, { activation, residual: residual! }) },
  ]),
  packedAttention: [
    { shapes: [[5, 36]], make: ([x]) => ops.packedAttention(x!, { numHeads: 3, scale: 0.5 }) },
    { shapes: [[4, 30]], weights: { bias: [2, 4, 4] }, make: ([x], { bias }) => ops.packedAttention(x!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[2, 5, 24], [1, 2, 5, 5]], make: ([x, bias]) => ops.packedAttention(x!, { numHeads: 2, scale: 1 }, bias) },
    { shapes: [[3, 9, 12]], weights: { bias: [3, 1, 9, 9] }, make: ([x], { bias }) => ops.packedAttention(x!, { numHeads: 1, scale: 2 }, bias) },
    { shapes: [[1, 2, 4, 4]], weights: { qkv: [3, 4, 30] }, make: ([bias], { qkv }) => ops.packedAttention(qkv!, { numHeads: 2, scale: 1 }, bias) },
  ],
  packedAttentionGradient: ([[[5, 36], 3], [[1, 6], 1], [[2, 9, 30], 2], [[150, 12], 1], [[260, 24], 2]] as const).flatMap(([shape, numHeads]) => {
    const [shapes, tokens] = [[shape, [...shape.slice(0, -1), shape.at(-1)! / 3]], shape.at(-2)!]
    return [
      { shapes, make: ([x, dy]: readonly Tensor[]) => ops.packedAttentionGradient(x!, dy!, { numHeads, scale: 0.7 }) },
      ...[false, true].map(scores => ({
        shapes,
        weights: { bias: [...shape.slice(0, -2), numHeads, tokens, tokens] },
        make: ([x, dy]: readonly Tensor[], { bias }: Readonly<Record<string, Tensor>>) => ops.packedAttentionGradient(x!, dy!, { numHeads, scale: 0.7, scores }, bias),
      })),
    ]
  }),
  groupNorm: (['none', 'relu', 'silu', 'erf', 'tanh', 'quick'] as const).flatMap(activation =>
    ([[[3, 5, 8], 2], [[9, 9, 20], 4], [[150, 6], 3], [[7, 33], 1], [[2, 2, 48], 48], [[16], 4]] as const).map(([shape, numGroups]) => ({
      shapes: [shape],
      weights: { gamma: [shape.at(-1)!], beta: [shape.at(-1)!] },
      make: ([x]: readonly Tensor[], { gamma, beta }: Readonly<Record<string, Tensor>>) => ops.groupNorm(x!, gamma!, beta!, { numGroups, epsilon: 1e-3, activation }),
    })),
  ),
  groupNormGradient: ([[[3, 5, 8], 2], [[9, 9, 20], 4], [[150, 6], 3], [[7, 33], 1], [[2, 2, 48], 48], [[16], 4]] as const).map(([shape, numGroups]) => ({
    shapes: [shape, shape],
    weights: { gamma: [shape.at(-1)!] },
    make: ([x, dy]: readonly Tensor[], { gamma }: Readonly<Record<string, Tensor>>) => ops.groupNormGradient(x!, dy!, gamma!, { numGroups, epsilon: 1e-3 }),
  })),
  squareSum: [
    { shapes: [[3, 5]], make: xs => ops.squareSum(xs) },
    { shapes: [], weights: { a: [300, 70], b: [5], c: [] }, make: (_, { a, b, c }) => ops.squareSum([a!, b!, c!, b!]) },
    { shapes: [[4]], weights: { w: [2, 3] }, make: ([x], { w }) => ops.squareSum([w!, x!]) },
  ],
  elementwise: [
    ...([[[2, 3], [3]], [[300, 5], [300, 1]], [[2, 1, 5], [1, 7, 1]], [[3, 1, 2, 1], [3, 4, 2, 5]], [[2, 1, 3, 1, 4], [2, 5, 3, 6, 4]], [[], []]] as const).map(shapes => ({
      shapes,
      weights: { w: [1] },
      make: ([a, b]: readonly Tensor[], { w }: Readonly<Record<string, Tensor>>) => ops.elementwise([a!, b!, w!], [{ op: 'multiply', of: [0, 1] }, { op: 'sigmoid', of: [3] }, { op: 'subtract', of: [4, 2] }, { op: 'maximum', of: [5, 0] }, { op: 'minimum', of: [1, 6] }]),
    })),
    { shapes: [[41, 29]], make: ([x]) => ops.elementwise([x!], [{ op: 'relu', of: [0] }, { op: 'step', of: [0] }, { op: 'add', of: [1, 2] }, { op: 'exp', of: [3] }, { op: 'sqrt', of: [4] }, { op: 'log', of: [5] }, { op: 'tanh', of: [0] }, { op: 'divide', of: [6, 7] }]) },
  ],
}

const modelOf = ({ shapes, weights = {}, make }: Case): AnyModel => {
  const layer: AnyLayer = defineLayer<ShapeFunction, Signal, never>('op', () => layer, [], {
    accepts: 'any',
    parameters: () => Object.fromEntries(Object.entries(weights).map(([name, shape]) => [name, { shape, initialiser: { kind: 'uniform', bound: 1 } }])),
    forward: (x, { parameters }) => make(Object.values(x) as readonly Tensor[], parameters as Readonly<Record<string, Tensor>>),
  })
  const fields = shapes.length === 0 ? { none: integerInput(1) } : Object.fromEntries(shapes.map((shape, i) => [`x${i}`, input(...shape)]))
  return (layer as unknown as (m: unknown) => AnyModel)(inputs(fields as never))
}

const values = (shapes: readonly Shape[]): object =>
  shapes.length === 0 ? { none: new Int32Array(batch) } : Object.fromEntries(shapes.map((shape, i) => [`x${i}`, initialise({ kind: 'uniform', bound: 1 }, [batch * sizeOf(shape)], 5, `x${i}`)]))

describe.each([cpu, wasm, tfjsWasm])('every op on $name', backend => {
  it.each(Object.entries(cases).flatMap(([op, list]) => list.map((c, i) => [op, i, c] as const)))('%s, case %i, gives what its definition gives, and leaves no buffer behind', async (_, __, c) => {
    const model = modelOf(c) as Model<never, never>
    const weights = valueOf(initialWeights(model, 3))
    const [truth, ours] = await Promise.all([reference, backend].map(async b => {
      const program = valueOf(await compile(model, { backend: b, weights })())
      const result = valueOf(await program.run(values(c.shapes) as never)()) as Float32Array
      if (b === backend) {
        // Numbers such as 0.5 are kept from the first run on.
        const device = valueOf(await b.open())
        const { buffers } = device.held!()
        await program.run(values(c.shapes) as never)()
        expect(device.held!().buffers).toBe(buffers)
      }
      program.dispose()
      return result
    }))
    expect(ours).toHaveLength(truth!.length)
    const scale = truth!.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
    truth!.forEach((x, i) => expect(Math.abs(x - ours![i]!)).toBeLessThan(5e-6 * scale))
  })
})
