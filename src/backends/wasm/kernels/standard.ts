import type { TensorInfo } from '@tensorflow/tfjs-core'
import { concat, gather, pad, scatterAdd, slice, tile, transpose } from './copy.js'
import { binary, slowly, unary } from './pointwise.js'
import { sizeOf } from '../../../shape/shape.js'
import { showShape } from './axes.js'
import type { Implementation } from './implementation.js'
import type { Kernels } from './kernels.js'
import type { binaryCodes, unaryCodes } from './native.js'
import { matMul } from './product.js'
import { maxAxes, sumAxes } from './reductions.js'
import { softmax } from './rows.js'

const pairwise = (fn: keyof typeof binaryCodes): Implementation => (kernels, inputs) => (inputs.a?.dtype === 'int32' ? integers(kernels, fn, inputs.a, inputs.b!) : binary(kernels, inputs, { fn }))
const single = (fn: keyof typeof unaryCodes): Implementation => (kernels, inputs) => unary(kernels, inputs, { fn })

const exact: Readonly<Record<string, (a: number, b: number) => number>> = { add: (a, b) => a + b, subtract: (a, b) => a - b, multiply: (a, b) => a * b, maximum: Math.max, minimum: Math.min }

/** Row numbers are few: they are added in plain TypeScript. */
const integers = (kernels: Kernels, fn: string, a: TensorInfo, b: TensorInfo): TensorInfo => {
  const f = exact[fn]
  if (f === undefined || b.dtype !== 'int32') throw new Error(`${fn}: not defined between ${a.dtype} and ${b.dtype}`)
  const shape = a.shape.length >= b.shape.length ? a.shape.map((n, i) => Math.max(n, b.shape[i - a.shape.length + b.shape.length] ?? 1)) : b.shape.map((n, i) => Math.max(n, a.shape[i - b.shape.length + a.shape.length] ?? 1))
  const spread = (x: TensorInfo): TensorInfo => {
    const own = { ...x, shape: [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape] }
    return tile(kernels, { x: own }, { reps: shape.map((n, i) => n / own.shape[i]!) })
  }
  const [left, right] = [spread(a), spread(b)]
  const y = kernels.output(shape, 'int32')
  const [p, q, to] = [kernels.values(left), kernels.values(right), kernels.values(y)]
  for (let i = 0; i < to.length; i++) to[i] = f(p[i]!, q[i]!)
  return y
}

/** Exponents that have a kernel; others are raised one by one, as exactly as a double does. */
const powers: Readonly<Record<string, keyof typeof unaryCodes>> = { 2: 'square', 3: 'cube', 0.5: 'sqrt', '-1': 'reciprocal', '-0.5': 'rsqrt' }
const power: Implementation = (kernels, inputs) => {
  const exponent = kernels.values(inputs.b!)[0]!
  const fn = powers[exponent]
  return fn === undefined ? slowly(kernels, inputs.a!, x => x ** exponent) : unary(kernels, { x: inputs.a }, { fn })
}

/** Neighbouring axes are reduced together, the last ones first. */
const reduction = (over: Implementation, scaleOf: (count: number) => number): Implementation => (kernels, { x }, attrs) => {
  const given = (attrs.axis ?? attrs.reductionIndices) as readonly number[]
  const axes = [...given].sort((a, b) => a - b)
  const scale = scaleOf(axes.reduce((count, axis) => count * x!.shape[axis]!, 1))
  let y = x!
  for (let end = axes.length; end > 0; ) {
    let start = end - 1
    while (start > 0 && axes[start - 1] === axes[start]! - 1) start--
    y = over(kernels, { x: y }, { axis: axes[start], count: end - start, scale: start === 0 ? scale : 1 })
    end = start
  }
  return y === x ? over(kernels, { x }, { axis: 0, count: 0, scale }) : y
}

const reverse: Implementation = (kernels, { x }, { dims }) => {
  const [axis] = dims as readonly number[]
  if (axis !== 0 || (dims as readonly number[]).length !== 1) throw new Error(`Reverse: along the first axis only, not ${showShape(dims as readonly number[])}`)
  const rows = x!.shape[0]!
  const y = kernels.output(x!.shape, x!.dtype)
  const [from, to] = [kernels.values(x!), kernels.values(y)]
  const width = sizeOf(x!.shape.slice(1))
  for (let row = 0; row < rows; row++) to.set(from.subarray((rows - 1 - row) * width, (rows - row) * width), row * width)
  return y
}

/** Kernels that tfjs's own backends have too, under the names that the lowerings shared with them use. */
export const standard: Readonly<Record<string, Implementation>> = {
  Add: pairwise('add'),
  Sub: pairwise('subtract'),
  Multiply: pairwise('multiply'),
  RealDiv: pairwise('divide'),
  Maximum: pairwise('maximum'),
  Minimum: pairwise('minimum'),
  Pow: power,
  Exp: single('exp'),
  Log: single('log'),
  Sqrt: single('sqrt'),
  Rsqrt: single('rsqrt'),
  Tanh: single('tanh'),
  Sigmoid: single('sigmoid'),
  Relu: single('relu'),
  Erf: single('erf'),
  Step: single('step'),
  Softmax: (kernels, { logits }) => softmax(kernels, { x: logits }, {}),
  Sum: reduction(sumAxes, () => 1),
  Mean: reduction(sumAxes, count => 1 / count),
  Max: reduction(maxAxes, () => 1),
  BatchMatMul: matMul,
  Transpose: transpose,
  Slice: slice,
  PadV2: pad,
  Tile: tile,
  Concat: concat,
  GatherV2: gather,
  ScatterNd: scatterAdd,
  Reverse: reverse,
}
