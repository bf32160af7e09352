import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectNodes } from '../../src/graph/graph.js'
import { validate } from '../../src/graph/validate.js'
import { vectorise } from '../../src/graph/vectorise.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, tensorsOf, type OpKind, type Tensor } from '../../src/ops/tensor.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { leaves, randomGraph } from '../passes/randomGraph.js'

const [count, batch] = [3, 2] as const

/** A graph of one slice and the same over `count` slices; its inputs by the same names. */
const lifted = (roots: readonly Tensor[]): readonly Tensor[] => {
  const inputs = collectNodes(roots).filter((n): n is Tensor<'input'> => isOp(n, 'input'))
  const lift = vectorise(count, new Map(inputs.map(n => [n, ops.input(n.attributes.name, [count, ...n.shape], n.dtype)])))
  return roots.map(lift)
}

/** All slices of all samples as one batch: what vectorising must be the same as. */
const expectSame = (roots: readonly Tensor[]): void => {
  const after = lifted(roots)
  expect(validate(after)).toEqual([])
  const [one, all] = [evaluateGraph(roots, batch * count, leaves), evaluateGraph(after, batch, leaves)]
  roots.forEach((root, i) => {
    const isShared = after[i]!.shape.length === root.shape.length
    expect(after[i]!.shape).toEqual(isShared ? root.shape : [count, ...root.shape])
    expect(all[i]!.data.length).toBe(one[i]!.data.length)
    one[i]!.data.forEach((value, at) => expect(Math.abs(all[i]!.data[at]! - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value))))
  })
}

const x = ops.input('x', [4, 6])
const w = (name: string, ...shape: readonly number[]): Tensor => ops.parameter(name, shape, { kind: 'zeros' })
const heads = { numHeads: 2, scale: 0.5 } as const

describe('a graph over many slices is the graph over each', () => {
  it('whatever it is made of', () => {
    const seen = new Set<OpKind>()
    fc.assert(fc.property(randomGraph, signals => {
      const roots = signals.flatMap(tensorsOf)
      for (const n of collectNodes(roots)) if (n.inputs.some(i => i.batched)) seen.add(n.op)
      expectSame(roots)
    }), { seed: 11, numRuns: 200 })
    expect(seen.size).toBeGreaterThan(20)
  })

  const cases: Readonly<Record<string, Tensor>> = {
    'an affine norm': ops.layerNorm(x, 1e-5, { gamma: w('g', 6), beta: w('b', 6) }),
    'a linear map with a bias': ops.linear(x, w('w', 5, 6), w('b', 5)),
    'attention whose keys are weights': ops.attention(x, w('k', 3, 6), w('v', 3, 6), heads),
    'attention with a learned bias': ops.attention(x, x, x, heads, w('bias', 2, 4, 4)),
    'attention with a bias of its own': ops.attention(x, x, x, heads, ops.reshape(ops.matmul(ops.concat([x, x], 0), x, { transposeB: true }), [2, 4, 4])),
    'tokens put before others': ops.concat([w('token', 1, 6), x], 0),
    'the number of samples': ops.multiply(x, ops.batchSize()),
    'a sum over the batch': ops.multiply(x, ops.batchSum(x)),
    'a sum over the batch of what all slices share': ops.multiply(x, ops.batchSum(ops.broadcast(w('v', 4, 6), [4, 6], true))),
    'what is repeated for every sample': ops.broadcast(w('v', 1, 6), [4, 6], true),
    'a gradient of an affine norm': ops.layerNormGradient(x, ops.exp(x), 1e-5, w('g', 6)),
    'a gradient that arrives from what all slices share': ops.softmaxGradient(ops.broadcast(w('y', 4, 6), [4, 6], true), x),
    'a mean over the batch': ops.subtract(x, ops.batchMean(x)),
    'what follows from a mean over the batch': ops.divide(x, ops.exp(ops.mean(ops.batchMean(x), [0]))),
    'rows picked by integers that arrive': ops.gather(w('table', 5, 2), ops.input('ids', [3], 'int32')),
    'rows of each slice picked by numbers all share': ops.gather(x, ops.constant(Int32Array.of(3, 0, 3, 1, 1, 2), [2, 3])),
    'rows of each slice put where numbers all share say': ops.scatterAdd(ops.constant(Int32Array.of(3, 0, 3, 1), [2, 2]), ops.reshape(x, [2, 2, 6]), 5, false),
    'the order of each slice': ops.gather(w('table', 6, 2), ops.argsort(x)),
    'a fused map with a residual': ops.fusedLinear(x, w('w', 6, 6), { bias: w('b', 6), activation: 'erf', residual: x }),
    'packed attention with a learned bias': ops.packedAttention(x, { numHeads: 1, scale: 0.5 }, w('bias', 1, 4, 4)),
    'the gradient of packed attention': ops.packedAttentionGradient(x, ops.slice(ops.exp(x), [0, 0], [4, 2]), { numHeads: 2, scale: 0.5 }),
    'the gradient of packed attention and its scores': ops.packedAttentionGradient(x, ops.slice(ops.exp(x), [0, 0], [4, 2]), { numHeads: 2, scale: 0.5, scores: true }, w('bias', 2, 4, 4)),
    'group norm': ops.groupNorm(x, w('g', 6), w('b', 6), { numGroups: 2, epsilon: 0.1, activation: 'relu' }),
    'the gradient of group norm': ops.groupNormGradient(x, ops.exp(x), w('g', 6), { numGroups: 2, epsilon: 0.1 }),
    'a sum of squares': ops.squareSum([x, w('b', 1, 6)]),
    'elementwise ops in a row': ops.elementwise([x, w('b', 1, 6)], [{ op: 'multiply', of: [0, 1] }, { op: 'tanh', of: [2] }]),
    'what does not depend on a slice': ops.add(w('a', 4, 6), ops.scalar(1)),
  }
  it.each(Object.entries(cases).filter(([name]) => !name.startsWith('rows')))('%s', (_, root) => expectSame([root]))

  it('rows picked by integers', () => {
    const [after] = lifted([cases['rows picked by integers that arrive']!])
    expect(after!.shape).toEqual([count, 3, 2])
  })

  it('leaves weights, and what follows from them, as they are', () => {
    const scaled = ops.multiply(w('w', 5, 6), ops.scalar(2))
    const [after] = lifted([ops.linear(x, scaled)])
    expect(after!.inputs[1]).toBe(scaled)
  })

  it('refuses what has no axis to spare', () => {
    const image = ops.input('image', [5, 5, 2])
    const pooled = ops.maxPool(image, { size: [2, 2], strides: [1, 1], padding: [[0, 0], [0, 0]] })
    expect(() => lifted([pooled])).toThrow('maxPool cannot run on several slices at once')
    expect(() => lifted([ops.gather(x, ops.argsort(ops.slice(x, [0, 0], [4, 1])))])).toThrow('gather cannot run on several slices at once')
    expect(() => lifted([ops.batchReverse(x)])).toThrow('batchReverse cannot run on several slices at once')
    expect(() => lifted([ops.linearWeightGradient(x, x)])).toThrow('linearWeightGradient cannot run on several slices at once')
  })
})
