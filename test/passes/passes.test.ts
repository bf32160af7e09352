import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectNodes } from '../../src/graph/graph.js'
import { print } from '../../src/graph/print.js'
import { validate } from '../../src/graph/validate.js'
import * as ops from '../../src/ops/ops.js'
import { tensorsOf, type Signal, type Tensor } from '../../src/ops/tensor.js'
import { foldConstants } from '../../src/passes/foldConstants.js'
import type { Pass } from '../../src/passes/pass.js'
import { optimise, pipeline } from '../../src/passes/pipeline.js'
import { removeIdentities } from '../../src/passes/removeIdentities.js'
import { shareSubexpressions } from '../../src/passes/shareSubexpressions.js'
import { sameShape, sizeOf } from '../../src/shape/shape.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { leaves, randomGraph } from './randomGraph.js'

const runs = { seed: 5, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 3000 : 300 } as const
const nodesOf = (roots: readonly Signal[]): readonly Tensor[] => collectNodes(roots.flatMap(tensorsOf))
const valuesOf = (roots: readonly Signal[]): readonly (readonly number[])[] => evaluateGraph(roots, 2, leaves).map(v => Array.from(v.data, x => x + 0))
/** Whatever is computed in another order is rounded otherwise, in double precision. */
const differenceOf = (after: readonly (readonly number[])[], before: readonly (readonly number[])[]): string =>
  before.flatMap((values, root) => values.flatMap((x, i) => (Object.is(x, after[root]![i]) || Math.abs(x - after[root]![i]!) <= 1e-9 * Math.max(1, Math.abs(x)) ? [] : [`root ${root}, element ${i}: ${after[root]![i]} for ${x}`])))[0] ?? ''
const inRun = (roots: readonly Signal[]): { readonly steps: number; readonly elements: number } => {
  const varying = new Set<Tensor>()
  for (const n of nodesOf(roots)) if (n.op === 'input' || n.op === 'dropMask' || n.op === 'batchSize' || n.inputs.some(x => varying.has(x))) varying.add(n)
  return { steps: varying.size, elements: [...varying].reduce((sum, { shape }) => sum + sizeOf(shape), 0) }
}
const holds = (property: (roots: readonly Signal[]) => void): void => fc.assert(fc.property(randomGraph, roots => void property(roots)), { ...runs, reporter: report })
const report = (details: fc.RunDetails<[readonly Signal[]]>): void => {
  if (!details.failed) return
  throw new Error(`seed ${details.seed}; the smallest graph found:\n${print(details.counterexample![0])}\n${String(details.errorInstance)}`)
}

const passes: readonly (readonly [string, Pass])[] = [...pipeline, ['all of them', optimise]]

describe.each(passes)('%s', (_, pass) => {
  it('keeps what a graph computes, its shapes and its structure', () => {
    holds(roots => {
      const after = pass(roots)
      expect(differenceOf(valuesOf(after), valuesOf(roots))).toBe('')
      expect(after.flatMap(tensorsOf).map(t => [t.shape, t.dtype])).toEqual(roots.flatMap(tensorsOf).map(t => [t.shape, t.dtype]))
      expect(after.map(root => Object.keys(root))).toEqual(roots.map((root, i) => ('op' in root && 'op' in after[i]! ? Object.keys(after[i]!) : Object.keys(root))))
    })
  })

  it('leaves a legal graph', () => holds(roots => expect(validate(pass(roots))).toEqual([])))

  it('does nothing the second time', () => holds(roots => expect(print(pass(pass(roots)))).toBe(print(pass(roots)))))

  // What depends on weights alone is computed once, so that there may be more of it. Cutting out some rows is a step more.
  it('never makes a run longer, unless it computes less in it', () =>
    holds(roots => {
      const [before, after] = [inRun(roots), inRun(pass(roots))]
      expect(after.steps <= before.steps || after.elements < before.elements).toBe(true)
    }))

  it('leaves the graph it was given as it was', () =>
    holds(roots => {
      const before = print(roots)
      pass(roots)
      expect(print(roots)).toBe(before)
    }))
})

describe('random graphs', () => {
  it('are legal themselves, and hold every op but one or two', () => {
    const seen = new Set<string>()
    holds(roots => {
      expect(validate(roots)).toEqual([])
      nodesOf(roots).forEach(n => seen.add(n.op))
    })
    expect(['conv2d', 'maxPool', 'averagePool', 'batchSize'].concat([...seen]).length).toBeGreaterThan(28)
  })
})

describe('removeIdentities', () => {
  it('leaves nothing that changes nothing', () =>
    holds(roots => {
      for (const node of nodesOf(removeIdentities(roots))) {
        const x = node.inputs[0]
        if (node.op === 'reshape') expect(sameShape(node.shape, x!.shape) || x!.op === 'reshape').toBe(false)
        if (node.op === 'slice') expect(sameShape(node.shape, x!.shape)).toBe(false)
        if (node.op === 'concat') expect(node.inputs.length).toBeGreaterThan(1)
        if (node.op === 'transpose') expect((node as Tensor<'transpose'>).attributes.perm.some((axis, i) => axis !== i)).toBe(true)
      }
    }))

  const x = ops.input('x', [2, 3])
  const ones = ops.constant(new Float32Array(6).fill(1), [2, 3])
  it.each([
    ['a sum with zeros', ops.add(x, ops.scalar(0))],
    ['zeros before a sum', ops.add(ops.constant(new Float32Array(6), [2, 3]), x)],
    ['zeros taken off', ops.subtract(x, ops.scalar(0))],
    ['a product with ones', ops.multiply(ones, x)],
    ['a division by one', ops.divide(x, ops.scalar(1))],
    ['a reshape there and back', ops.reshape(ops.reshape(ops.reshape(x, [6]), [3, 2]), [2, 3])],
    ['all of them at once', ops.divide(ops.multiply(ops.transpose(ops.slice(ops.concat([ops.reshape(x, [2, 3])], 1), [0, 0], [2, 3]), [0, 1]), ones), ops.scalar(1))],
  ])('takes out %s', (_, graph) => expect(removeIdentities([graph])).toEqual([x]))

  it.each([
    ['zeros minus something', ops.subtract(ops.scalar(0), x)],
    ['one divided by something', ops.divide(ops.scalar(1), x)],
    ['a sum with zeros that makes it wider', ops.add(ops.input('v', [3]), ops.constant(new Float32Array(6), [2, 3]))],
    ['a product with ones that spreads a weight over a batch', ops.multiply(ops.parameter('w', [2, 3], { kind: 'zeros' }), ops.dropMask('m', 1, [2, 3]))],
    ['a transpose', ops.transpose(x, [1, 0])],
  ])('leaves %s', (_, graph) => expect(nodesOf(removeIdentities([graph])).some(n => n.op === graph.op)).toBe(true))
})

describe('foldConstants', () => {
  it('leaves nothing that depends on constants alone', () =>
    holds(roots => expect(nodesOf(foldConstants(roots)).filter(n => n.inputs.length > 0 && n.inputs.every(i => i.op === 'constant'))).toEqual([])))

  it('computes in double precision what it rounds once', () => {
    const third = ops.divide(ops.scalar(1), ops.scalar(3))
    const [folded] = foldConstants([ops.add(ops.exp(third), third)]) as readonly Tensor<'constant'>[]
    expect(folded!.op).toBe('constant')
    // The inner results are constants too, each rounded once.
    expect(Math.abs(folded!.attributes.data[0]! - (Math.exp(1 / 3) + 1 / 3))).toBeLessThan(2e-7)
  })

  it('keeps whole numbers whole', () => {
    const ids = ops.reshape(ops.constant(Int32Array.of(2, 0), [2]), [1, 2])
    expect(foldConstants([ids])).toMatchObject([{ op: 'constant', dtype: 'int32', shape: [1, 2], attributes: { data: Int32Array.of(2, 0) } }])
  })

  it('draws no random mask at compile time', () => {
    const masked = ops.multiply(ops.scalar(2), ops.dropMask('m', 0.5, [3]))
    expect(nodesOf(foldConstants([masked])).map(n => n.op)).toEqual(['constant', 'dropMask', 'multiply'])
  })
})

describe('shareSubexpressions', () => {
  it('leaves no two nodes that say the same', () =>
    holds(roots => {
      const lines = print(shareSubexpressions(roots)).split('\n').slice(0, -1).filter(line => !line.includes('= constant')).map(line => line.replace(/^%\d+ = /, ''))
      expect(new Set(lines).size).toBe(lines.length)
    }))

  const x = ops.input('x', [4])
  it('makes one node of two that compute the same', () => {
    const [a, b] = shareSubexpressions([ops.relu(ops.add(x, ops.scalar(2))), ops.relu(ops.add(x, ops.scalar(2)))])
    expect(a).toBe(b)
  })

  it.each([
    ['masks of two streams', ops.dropMask('a', 0.5, [4]), ops.dropMask('b', 0.5, [4])],
    ['masks of two rates', ops.dropMask('a', 0.5, [4]), ops.dropMask('a', 0.25, [4])],
    ['constants of other values', ops.scalar(1), ops.scalar(2)],
    ['zeros of other signs', ops.scalar(0), ops.scalar(-0)],
    ['whole numbers and floats', ops.constant(Int32Array.of(1), [1]), ops.constant(Float32Array.of(1), [1])],
    ['constants of other shapes', ops.constant(new Float32Array(4), [2, 2]), ops.constant(new Float32Array(4), [4])],
    ['other attributes', ops.layerNorm(x, 1e-5), ops.layerNorm(x, 1e-6)],
    ['another order of inputs', ops.subtract(x, ops.relu(x)), ops.subtract(ops.relu(x), x)],
  ])('does not take %s for the same', (_, a, b) => {
    const [one, other] = shareSubexpressions([a, b])
    expect(one).not.toBe(other)
  })

  it('finds constants alike whose digests are not told apart by their first meeting', () => {
    // 2⁻¹⁷ and 2⁻¹⁸ are nothing to a digest of sixteen fractional bits.
    const make = (v: number): Tensor => ops.constant(Float32Array.of(v), [1])
    const [a, b, c] = shareSubexpressions([make(2 ** -17), make(2 ** -18), make(2 ** -17)])
    expect(a).not.toBe(b)
    expect(c).toBe(a)
  })
})
