import fc from 'fast-check'
import { describe, it, expect } from 'vitest'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { validate } from '../../src/graph/validate.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, type Tensor } from '../../src/ops/tensor.js'
import { sizeOf, type Shape } from '../../src/shape/shape.js'
import { evaluateGraph, type Leaves } from '../evaluateGraph.js'
import { random } from '../random.js'

const batch = 2
const runs = { seed: 17, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 1000 : 60 } as const

/** An operand of a shape, or of one that broadcasts to it; batched or not. */
interface Operand {
  readonly shape: Shape
  readonly batched: boolean
}
const leaf = ({ shape, batched }: Operand, i: number): Tensor => (batched ? ops.input(`x${i}`, shape) : ops.parameter(`w${i}`, shape, { kind: 'zeros' }))
/** A part of `whole`: axes made 1, and leading ones left out. */
const within = (whole: Shape): fc.Arbitrary<Operand> =>
  fc.record({ ones: fc.array(fc.boolean(), { minLength: whole.length, maxLength: whole.length }), dropped: fc.nat(whole.length), batched: fc.boolean() })
    .map(({ ones, dropped, batched }) => ({ shape: whole.map((size, axis) => (ones[axis] === true ? 1 : size)).slice(dropped), batched }))
const sizes = (length: number): fc.Arbitrary<Shape> => fc.array(fc.integer({ min: 1, max: 3 }), { minLength: length, maxLength: length })
const operands = (most: number, count: number): fc.Arbitrary<readonly Operand[]> => fc.nat(most).chain(sizes).chain(whole => fc.tuple(...Array.from({ length: count }, () => within(whole))))

const valuesOf: Leaves = (node, count) => {
  const { name } = (isOp(node, 'dropMask') ? { name: '' } : node.attributes) as { readonly name: string }
  return Float64Array.from(random(name.charCodeAt(0) + 31 * name.charCodeAt(1) + count).values(count))
}

/** Along one random direction for each leaf, the gradient says what central differences say. */
const agree = (y: Tensor, leaves: readonly Tensor[]): void => {
  const total = ops.sum(ops.multiply(ops.sigmoid(y), ops.constant(random(3).values(sizeOf(y.shape)), y.shape)), y.shape.map((_, axis) => axis))
  const loss = total.batched ? ops.batchMean(total) : total
  const { of } = gradient(loss, leaves)
  expect(validate([...of.values()])).toEqual([])
  const slopes = evaluateGraph([...of.values()], batch, valuesOf)
  ;[...of.keys()].forEach((x, i) => {
    expect([of.get(x)!.shape, of.get(x)!.batched]).toEqual([x.shape, x.batched])
    const direction = random(i + 5).values(slopes[i]!.data.length)
    const along = slopes[i]!.data.reduce((sum, slope, j) => sum + slope * direction[j]!, 0)
    const h = 1e-5
    const moved = (by: number): number => evaluateGraph([loss], batch, (node, count) => Float64Array.from(valuesOf(node, count), (value, j) => (node === x ? value + by * direction[j]! : value)))[0]!.data[0]!
    expect(Math.abs((moved(h) - moved(-h)) / (2 * h) - along)).toBeLessThan(1e-7 * Math.max(1, Math.abs(along)))
  })
}
const holds = (arbitrary: fc.Arbitrary<readonly Operand[]>, make: (leaves: readonly Tensor[]) => Tensor): void =>
  fc.assert(fc.property(arbitrary, list => {
    const leaves = list.map(leaf)
    agree(make(leaves), leaves)
  }), runs)

describe('gradients fit their operands, however these broadcast and whichever are batched', () => {
  const pairwise: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = { add: ops.add, subtract: ops.subtract, multiply: ops.multiply, divide: (a, b) => ops.divide(a, ops.exp(b)), maximum: ops.maximum, minimum: ops.minimum }
  it.each(Object.entries(pairwise))('%s', (_, op) => holds(operands(4, 2), ([a, b]) => op(a!, b!)))

  it('several at once, used more than once', () => holds(operands(3, 3), ([a, b, c]) => ops.add(ops.multiply(ops.add(a!, b!), ops.tanh(c!)), ops.multiply(a!, c!))))

  it('matmul', () =>
    fc.assert(fc.property(sizes(2).chain(lead => fc.tuple(within(lead), within(lead))), fc.tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 3 }))), fc.boolean(), fc.boolean(), ([a, b], [m, k, n], transposeA, transposeB) => {
      const leaves = [{ ...a, shape: [...a.shape, ...(transposeA ? [k!, m!] : [m!, k!])] }, { ...b, shape: [...b.shape, ...(transposeB ? [n!, k!] : [k!, n!])] }].map(leaf)
      agree(ops.matmul(leaves[0]!, leaves[1]!, { transposeA, transposeB }), leaves)
    }), runs))

  it('attention', () =>
    fc.assert(fc.property(sizes(1), fc.tuple(...[1, 2, 3, 4].map(() => fc.boolean())), fc.boolean(), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), ([lead], batched, isWide, queries, keys) => {
      const leaves = [[lead!, queries, 4], [lead!, keys, 4], [lead!, keys, 4], [...(isWide ? [lead!] : []), 2, queries, keys]].map((shape, i) => leaf({ shape, batched: batched[i]! }, i))
      agree(ops.attention(leaves[0]!, leaves[1]!, leaves[2]!, { numHeads: 2, scale: 0.7 }, leaves[3]), leaves)
    }), runs))

  it('reductions over any axes', () =>
    fc.assert(fc.property(sizes(3), fc.subarray([0, 1, 2]), fc.boolean(), fc.boolean(), (shape, axes, keepDims, batched) => {
      for (const op of [ops.sum, ops.mean, ops.max]) {
        const x = leaf({ shape, batched }, 0)
        agree(op(x, axes, keepDims), [x])
      }
    }), runs))

  it('blocks cut out, put back and joined', () =>
    fc.assert(fc.property(sizes(2), fc.integer({ min: 0, max: 2 }), fc.boolean(), fc.boolean(), (shape, cut, b0, b1) => {
      const [x, w] = [leaf({ shape: [shape[0]! + 2, shape[1]!], batched: b0 }, 0), leaf({ shape, batched: b1 }, 1)]
      const block = ops.slice(x, [cut, 0], shape)
      agree(ops.add(ops.concat([block, w, ops.slice(x, [0, 0], [2, shape[1]!])], 0), ops.pad(w, [1, 0], [2 + 2 * shape[0]!, shape[1]!])), [x, w])
    }), runs))
})
