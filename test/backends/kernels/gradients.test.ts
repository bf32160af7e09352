import { beforeAll, describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/ops/definition/define.js'
import type { Value } from '../../../src/ops/definition/value.js'
import * as ops from '../../../src/ops/ops.js'
import type { ElementwiseStep, Tensor } from '../../../src/ops/tensor.js'
import { binaries, expectClose, loadBackend, random, run, type Dense } from './support.js'

const widths = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 197, 768]

/** What an op means, by its definition; the first axis of each operand is the batch. */
const defined = (make: (...operands: readonly Tensor[]) => Tensor, ...operands: readonly Dense[]): Dense => {
  const node = make(...operands.map(({ shape }, i) => ops.input(`x${i}`, shape.slice(1))))
  const { shape, data } = evaluate(node, operands.map(({ shape, values }): Value => ({ shape, data: Float64Array.from(values) })), operands[0]!.shape[0]!)
  return { shape: node.batched ? shape : shape.slice(1), values: data }
}

describe.each(binaries)('gradient kernels, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  it.each([['gelu', 'erf'], ['geluTanh', 'tanh'], ['quickGelu', 'quick']] as const)('%s over a fine grid and every length', (fn, form) => {
    for (const size of [...widths, 20001]) {
      const x = { shape: [size], values: Float32Array.from({ length: size }, (_, i) => (size > 1000 ? (i - 10000) / 800 : Math.sin(i) * 3)) }
      const dy = random([size], 3)
      expectClose(run('VitrailGeluGradient', { x, dy }, { fn }), defined((a, b) => ops.geluGradient(a!, b!, form), x, dy), 3e-6)
    }
  })

  it('of GELUs of huge numbers', () => {
    const [x, dy] = [{ shape: [4], values: Float32Array.of(1e4, -1e4, 60, -60) }, { shape: [4], values: new Float32Array(4).fill(1) }]
    for (const fn of ['gelu', 'geluTanh', 'quickGelu']) expectClose(run('VitrailGeluGradient', { x, dy }, { fn }), { shape: [4], values: Float32Array.of(1, 0, 1, 0) }, 1e-18)
  })

  it('of GELUs and of SiLU, far out, up to infinity and of what is no number', () => {
    const far = [61, 1e3, 1e10, 1e11, 1e12, 1e13, 1e18, 1e19, 1e20, 1e38]
    const ofGelu = [...far, Infinity]
    const pairs = (list: readonly number[]): { readonly x: Dense; readonly dy: Dense; readonly slopes: Dense } => {
      const [values, shape] = [list.flatMap(v => [v, -v]), [2 * list.length]]
      return { x: { shape, values: Float32Array.from(values) }, dy: { shape, values: new Float32Array(values.length).fill(1) }, slopes: { shape, values: Float64Array.from(values, v => (v > 0 ? 1 : 0)) } }
    }
    const { slopes, ...operands } = pairs(ofGelu)
    for (const [fn, form] of [['gelu', 'erf'], ['geluTanh', 'tanh'], ['quickGelu', 'quick']] as const) {
      expectClose(run('VitrailGeluGradient', operands, { fn }), slopes, 1e-18)
      const truth = defined((a, b) => ops.geluGradient(a!, b!, form), operands.x, operands.dy)
      truth.values.forEach((slope, i) => expect(Number.isFinite(slope) ? slope : slopes.values[i]).toBeCloseTo(slopes.values[i]!, 12))
      expect(run('VitrailGeluGradient', { x: { shape: [1], values: Float32Array.of(Number.NaN) }, dy: random([1], 1) }, { fn }).values[0]).toBeNaN()
    }
    // dy (s + x s (1 - s)), as the gradient of x s(x) has it; at the infinities that is no number by definition.
    const silu = pairs(far.filter(v => v < 1e20))
    const steps: readonly ElementwiseStep[] = [{ op: 'sigmoid', of: [0] }, { op: 'subtract', of: [2, 3] }, { op: 'multiply', of: [3, 4] }, { op: 'multiply', of: [0, 5] }, { op: 'add', of: [3, 6] }, { op: 'multiply', of: [1, 7] }]
    expectClose(run('VitrailElementwise', { 0: silu.x, 1: silu.dy, 2: silu.dy }, { steps, shape: silu.x.shape }), silu.slopes, 1e-18)
  })

  it('group norm, whatever the groups, and far from zero', () => {
    for (const [places, channels, groups, shift] of [[1, 1, 1, 0], [3, 6, 2, 0], [49, 16, 4, 0], [196, 20, 5, 0], [130, 48, 48, 0], [9, 33, 3, 1e3], [200, 32, 8, 1e3]] as const) {
      const [x, dy, gamma] = [random([2, places, channels], places, 1, shift), random([2, places, channels], 4), random([channels], 5)]
      const node = ops.groupNormGradient(ops.input('x', [places, channels]), ops.input('dy', [places, channels]), ops.parameter('g', [channels], { kind: 'ones' }), { numGroups: groups, epsilon: 1e-3 })
      const truth = evaluate(node, [x, dy, { shape: [1, channels], values: gamma.values }].map(({ shape, values }): Value => ({ shape, data: Float64Array.from(values) })), 2)
      expectClose(run('VitrailGroupNormGradient', { x, dy, gamma }, { numGroups: groups, epsilon: 1e-3 }), { shape: x.shape, values: truth.data }, 3e-5)
    }
  })

  it('softmax and layer norm, every width', () => {
    for (const width of widths) {
      const [x, dy, gamma] = [random([3, 2, width], width, 3), random([3, 2, width], width + 1), random([width], 5)]
      const y = defined(a => ops.softmax(a!), x)
      const rounded = { shape: y.shape, values: Float32Array.from(y.values) }
      expectClose(run('VitrailSoftmaxGradient', { y: rounded, dy }, {}), defined((a, b) => ops.softmaxGradient(a!, b!), rounded, dy), 1e-6)
      const scale = { shape: [1, width], values: gamma.values }
      const affine = (a: Tensor | undefined, b: Tensor | undefined): Tensor => ops.layerNormGradient(a!, b!, 1e-3, ops.parameter('g', [width], { kind: 'zeros' }))
      const node = affine(ops.input('x', [2, width]), ops.input('dy', [2, width]))
      const truth = evaluate(node, [x, dy, scale].map(({ shape, values }): Value => ({ shape, data: Float64Array.from(values) })), 3)
      expectClose(run('VitrailLayerNormGradient', { x, dy, gamma }, { epsilon: 1e-3 }), { shape: x.shape, values: truth.data }, 2e-5)
      expectClose(run('VitrailLayerNormGradient', { x, dy }, { epsilon: 1e-3 }), defined((a, b) => ops.layerNormGradient(a!, b!, 1e-3), x, dy), 2e-5)
    }
  })

  it('layer norm of rows with a mean of 1000', () => {
    const [x, dy] = [random([5, 192], 3, 1, 1e3), random([5, 192], 4)]
    expectClose(run('VitrailLayerNormGradient', { x, dy }, { epsilon: 1e-6 }), defined((a, b) => ops.layerNormGradient(a!, b!, 1e-6), x, dy), 1e-5)
  })

  it('sums over any run of axes lose nothing to their number', () => {
    const cases: readonly (readonly [shape: readonly number[], axis: number, count: number])[] = [[[3, 5, 7], 1, 1], [[3, 5, 7], 0, 2], [[3, 5, 7], 1, 2], [[2, 3, 4, 9], 1, 2], [[70000, 3], 0, 1], [[2, 70000], 1, 1], [[1, 8], 0, 1]]
    for (const [shape, axis, count] of cases) {
      const x = random(shape, 6, 1, 1)
      const inner = shape.slice(axis + count).reduce((a, b) => a * b, 1)
      const summed = shape.slice(axis, axis + count).reduce((a, b) => a * b, 1)
      const expected = new Float64Array(x.values.length / summed)
      x.values.forEach((value, i) => (expected[Math.floor(i / (summed * inner)) * inner + (i % inner)]! += value / 2))
      expectClose(run('VitrailSum', { x }, { axis, count, scale: 0.5 }), { shape: [...shape.slice(0, axis), ...shape.slice(axis + count)], values: expected }, Math.max(1e-5, summed * 1.5e-7))
    }
  })

  it('weights, over few rows and many', () => {
    for (const [rows, inner, out] of [[1, 1, 1], [3, 5, 7], [770, 9, 5], [2000, 20, 33], [65, 192, 100]] as const) {
      const [x, dy] = [random([rows, inner], 7), random([rows, out], 8)]
      expectClose(run('VitrailWeightGradient', { x, dy }, {}), defined((a, b) => ops.linearWeightGradient(a!, b!), x, dy), 3e-6 * Math.sqrt(rows) + 1e-6)
    }
  })

  it('convolutions and pooling, however the window moves', () => {
    for (const [channels, out, groups, kernel, strides, padding] of [[3, 5, 1, [3, 3], [1, 1], [[1, 1], [1, 1]]], [4, 4, 4, [3, 2], [2, 1], [[0, 1], [1, 0]]], [12, 12, 12, [5, 5], [2, 2], [[1, 2], [2, 1]]], [6, 4, 2, [2, 2], [2, 2], [[0, 0], [0, 0]]], [3, 8, 1, [4, 4], [4, 4], [[0, 0], [0, 0]]], [2, 4, 2, [1, 3], [3, 2], [[0, 0], [1, 1]]]] as const) {
      const [height, width] = [9, 8]
      const rows = Math.floor((height + padding[0][0] + padding[0][1] - kernel[0]) / strides[0]) + 1
      const columns = Math.floor((width + padding[1][0] + padding[1][1] - kernel[1]) / strides[1]) + 1
      const how = { strides, padding, groups } as const
      const moves = { strides, begin: [padding[0][0], padding[1][0]], groups }
      const [x, dy, w] = [random([2, height, width, channels], 9), random([2, rows, columns, out], 10), random([1, out, channels / groups, ...kernel], 11)]
      const weight = ops.parameter('w', w.shape.slice(1), { kind: 'zeros' })
      const value = ({ shape, values }: Dense): Value => ({ shape, data: Float64Array.from(values) })
      const dx = evaluate(ops.conv2dInputGradient(ops.input('dy', [rows, columns, out]), weight, how, [height, width]), [value(dy), value(w)], 2)
      const dw = evaluate(ops.conv2dWeightGradient(ops.input('x', [height, width, channels]), ops.input('dy', [rows, columns, out]), how, kernel), [value(x), value(dy)], 2)
      // The kernels take and give filters with their channels last.
      const perGroup = channels / groups
      const places = kernel[0] * kernel[1]
      const lastOf = (data: ArrayLike<number>): Dense => ({ shape: [out, ...kernel, perGroup], values: Float64Array.from({ length: data.length }, (_, i) => data[(Math.floor(i / (places * perGroup)) * perGroup + (i % perGroup)) * places + (Math.floor(i / perGroup) % places)]!) })
      expectClose(run('VitrailConvolutionInputGradient', { dy, filter: lastOf(w.values) }, { ...moves, image: [height, width] }), { shape: x.shape, values: dx.data }, 1e-5)
      expectClose(run('VitrailConvolutionWeightGradient', { x, dy }, { ...moves, size: kernel }), lastOf(dw.data), 3e-5)
    }
  })

  it('convolutions of more windows than are looked at in one go, which is no whole number of images', () => {
    const [images, side, channels, out] = [5, 24, 12, 3]
    const how = { strides: [1, 1], padding: [[1, 1], [1, 1]], groups: 1 } as const
    const [x, dy, w] = [random([images, side, side, channels], 9), random([images, side, side, out], 10), random([1, out, channels, 3, 3], 11)]
    const value = ({ shape, values }: Dense): Value => ({ shape, data: Float64Array.from(values) })
    const [image, slope] = [ops.input('x', [side, side, channels]), ops.input('dy', [side, side, out])]
    const filters = ops.parameter('w', [out, channels, 3, 3], { kind: 'zeros' })
    const dx = evaluate(ops.conv2dInputGradient(slope, filters, how, [side, side]), [value(dy), value(w)], images)
    const dw = evaluate(ops.conv2dWeightGradient(image, slope, how, [3, 3]), [value(x), value(dy)], images)
    const lastOf = (data: ArrayLike<number>): Dense => ({ shape: [out, 3, 3, channels], values: Float64Array.from({ length: data.length }, (_, i) => data[(Math.floor(i / (9 * channels)) * channels + (i % channels)) * 9 + (Math.floor(i / channels) % 9)]!) })
    const moves = { strides: [1, 1], begin: [1, 1], groups: 1 }
    expectClose(run('VitrailConvolutionInputGradient', { dy, filter: lastOf(w.values) }, { ...moves, image: [side, side] }), { shape: x.shape, values: dx.data }, 1e-5)
    expectClose(run('VitrailConvolutionWeightGradient', { x, dy }, { ...moves, size: [3, 3] }), lastOf(dw.data), 2e-4)
  })

  it('refuses what it cannot do, with a sentence', () => {
    const [x, dy] = [random([2, 3], 1), random([3, 2], 2)]
    expect(() => run('VitrailSoftmaxGradient', { y: x, dy }, {})).toThrow('dy must be [2, 3], but is [3, 2]')
    expect(() => run('VitrailLayerNormGradient', { x, dy: x }, {})).toThrow('epsilon must be a number')
    expect(() => run('VitrailGroupNormGradient', { x, dy: x, gamma: x }, { numGroups: 2, epsilon: 1 })).toThrow('x must be images with channels for 2 groups')
    expect(() => run('VitrailGroupNormGradient', { x, dy: x, gamma: x }, { numGroups: 3, epsilon: 1 })).toThrow('gamma must be [3], but is [2, 3]')
    expect(() => run('VitrailGeluGradient', { x, dy: x }, { fn: 'cosh' })).toThrow('no function cosh')
    expect(() => run('VitrailSum', { x }, { axis: 1, count: 2 })).toThrow('axes 1 to 3 are not among the 2 of x')
    expect(() => run('VitrailWeightGradient', { x, dy }, {})).toThrow('dy must be [2, 2], but is [3, 2]')
    expect(() => run('VitrailMaxPoolGradient', { x, dy }, { size: [1, 1], strides: [1, 1], begin: [0, 0] })).toThrow('needs images with height, width and channels')
  })
})
