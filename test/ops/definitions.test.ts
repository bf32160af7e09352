import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { definitions } from '../../src/ops/definition/define.js'
import { erf } from '../../src/ops/definition/erf.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, type Tensor } from '../../src/ops/tensor.js'
import { evaluateGraph } from '../evaluateGraph.js'

/** What PyTorch computes, recorded by test/fixtures/ops/make.py. */
interface Recording {
  readonly op: string
  readonly leaves: readonly { readonly shape: readonly number[]; readonly batched: boolean; readonly integers: boolean; readonly data: readonly number[] }[]
  /** With the batch axis. */
  readonly shape: readonly number[]
  readonly y: readonly number[]
}
// Leaves are float32 numbers, which nine digits say but do not spell out.
const recorded = JSON.parse(readFileSync(new URL('../fixtures/ops/ops.json', import.meta.url), 'utf8')) as { readonly ops: readonly Recording[]; readonly erf: readonly (readonly [number, number])[] }
const batch = 2
const letters = ['a', 'b', 'c', 'd']

const build = ({ op, leaves }: Recording): Tensor => {
  const scope = Object.fromEntries(leaves.map(({ shape, batched, integers }, i) => [letters[i]!, batched ? ops.input(letters[i]!, shape, integers ? 'int32' : 'float32') : ops.parameter(letters[i]!, shape, { kind: 'zeros' })]))
  return new Function('scope', `with (scope) { return ${op} }`)({ ...ops, ...scope }) as Tensor
}
const dataOf = ({ leaves }: Recording) => (node: Tensor<'input' | 'parameter' | 'dropMask'>): readonly number[] => (isOp(node, 'dropMask') ? [] : leaves[letters.indexOf((node.attributes as { readonly name: string }).name)]!.data.map(Math.fround))
const named = recorded.ops.map((r, i) => [`${r.op} of ${r.leaves.map(l => `${l.batched ? 'batched ' : ''}[${l.shape.join()}]`).join(', ')} #${i}`, r] as const)

describe('an op means what PyTorch makes of it', () => {
  it.each(named)('%s', (_, recording) => {
    const [value] = evaluateGraph([build(recording)], batch, dataOf(recording))
    expect(value!.shape).toEqual(recording.shape)
    recording.y.forEach((y, i) => expect(Math.abs(value!.data[i]! - y), `element ${i}`).toBeLessThan(1e-10 * Math.max(1, Math.abs(y))))
  })

  it('and every op has a recording, but the size of a batch', () => {
    const seen = new Set(recorded.ops.map(r => build(r).op))
    expect(Object.keys(definitions).filter(op => !seen.has(op as never))).toEqual(['batchSize'])
  })
})

describe('a batch is its samples', () => {
  /** Ops in which samples meet. */
  const mixes = (t: Tensor): boolean => (!t.batched && t.inputs.some(x => x.batched)) || t.op === 'batchReverse' || t.op === 'axisToBatch'
  it.each(named.filter(([, r]) => !mixes(build(r))))('%s', (_, recording) => {
    const whole = evaluateGraph([build(recording)], batch, dataOf(recording))[0]!
    const size = whole.data.length / whole.shape[0]!
    for (let sample = 0; sample < batch; sample++) {
      const one = evaluateGraph([build(recording)], 1, (node, count) => {
        const data = dataOf(recording)(node)
        return node.batched ? data.slice(sample * count, (sample + 1) * count) : data
      })[0]!
      const at = whole.shape[0] === 1 ? 0 : sample
      expect(Array.from(one.data)).toEqual(Array.from(whole.data.slice(at * size, (at + 1) * size)))
    }
  })

  it('the size of a batch is known when it runs', () => {
    expect([1, 5].map(n => Array.from(evaluateGraph([ops.multiply(ops.batchSize(), ops.scalar(2))], n, () => [])[0]!.data))).toEqual([[2], [10]])
  })
})

describe('an op refuses what it cannot take', () => {
  const [x, y, ids, weight] = [ops.input('x', [2, 3]), ops.input('y', [4]), ops.input('ids', [2], 'int32'), ops.parameter('w', [5, 3], { kind: 'zeros' })]
  const image = ops.input('image', [4, 4, 3])
  const refused: Readonly<Record<string, () => unknown>> = {
    'add of shapes that do not broadcast': () => ops.add(x, y),
    'a reshape to another number of elements': () => ops.reshape(x, [5]),
    'a transpose by what is no permutation': () => ops.transpose(x, [0, 0]),
    'a slice outside': () => ops.slice(x, [0, 2], [2, 2]),
    'a slice before the beginning': () => ops.slice(x, [-1, 0], [1, 1]),
    'a join of shapes that differ beside the axis': () => ops.concat([x, ops.input('z', [2, 4])], 0),
    'picking rows by floats': () => ops.gather(weight, y),
    'picking rows of a single number': () => ops.gather(ops.scalar(1), ids),
    'sorting a single number': () => ops.argsort(ops.scalar(1)),
    'a table for each sample of rows all share': () => ops.scatterAdd(ops.constant(new Int32Array(5), [5]), weight, 3, false),
    'the opposite order of samples where there are none': () => ops.batchReverse(weight),
    'an axis of samples that are none': () => ops.batchToAxis(weight, 5),
    'samples made of what has them': () => ops.axisToBatch(x),
    'a sum over an axis that is not there': () => ops.sum(x, [2]),
    'a product of matrices that do not fit': () => ops.matmul(x, x),
    'a linear map of other channels': () => ops.linear(y, weight),
    'a bias of another size': () => ops.linear(x, weight, ops.parameter('b', [4], { kind: 'zeros' })),
    'attention of heads that do not split': () => ops.attention(x, x, x, { numHeads: 2, scale: 1 }),
    'a gradient of attention where each sample has a bias and all share the rest': () => ops.packedAttentionGradient(ops.constant(new Float32Array(6), [2, 3]), ops.constant(new Float32Array(2), [2, 1]), { numHeads: 1, scale: 1 }, ops.input('bias', [1, 2, 2])),
    'attention with a bias of another shape': () => ops.attention(x, x, x, { numHeads: 3, scale: 1 }, ops.input('bias', [3, 2, 3])),
    'a kernel larger than the image': () => ops.conv2d(image, ops.parameter('k', [2, 3, 5, 5], { kind: 'zeros' }), undefined, { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 }),
    'a convolution of other channels': () => ops.conv2d(image, ops.parameter('k', [2, 2, 3, 3], { kind: 'zeros' }), undefined, { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 }),
    'a constant whose values do not fill its shape': () => ops.constant(new Float32Array(3), [2]),
    'a block that sticks out': () => ops.pad(x, [0, 2], [2, 4]),
    'repetition of an axis that has a size already': () => ops.broadcast(x, [2, 6]),
    'rows put where floats say': () => ops.scatterAdd(y, y, 3),
    'a gradient of another shape': () => ops.softmaxGradient(x, y),
    'a gradient that is not batched as its value is': () => ops.geluGradient(weight, ops.input('dy', [5, 3])),
    'a scale of another size': () => ops.layerNormGradient(x, x, 1e-5, weight),
    'rows that do not pair': () => ops.linearWeightGradient(x, weight),
    'a gradient no convolution gives': () => ops.conv2dInputGradient(image, ops.parameter('k', [3, 2, 3, 3], { kind: 'zeros' }), { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 }, [4, 4]),
    'a gradient of another image': () => ops.conv2dWeightGradient(image, image, { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 }, [3, 3]),
    'a gradient of other windows': () => ops.maxPoolGradient(image, image, { size: [2, 2], strides: [2, 2], padding: [[0, 0], [0, 0]] }),
    'the sum over a batch of what has none': () => ops.batchSum(weight),
    'the mean over a batch of what has none': () => ops.batchMean(weight),
  }
  it.each(Object.entries(refused))('%s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'OpError' }))
  })

  it('and freezes what it makes', () => {
    const made = ops.add(x, x)
    expect([made, made.inputs, made.shape].map(Object.isFrozen)).toEqual([true, true, true])
  })
})

describe('the error function', () => {
  it('is right to 1e-14', () => {
    expect(recorded.erf.length).toBeGreaterThan(250)
    for (const [x, y] of recorded.erf) expect(Math.abs(erf(x) - y), `erf(${x})`).toBeLessThan(1e-14)
  })

  it('is odd, and ends at one', () => {
    expect([0, Infinity, -Infinity].map(erf)).toEqual([0, 1, -1])
    expect(erf(NaN)).toBeNaN()
    for (const x of [0.1, 1, 2.5, 3, 7]) expect(erf(-x)).toBe(-erf(x))
  })
})
