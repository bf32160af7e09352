import { describe, expect, it } from 'vitest'
import { vitRecipe } from '../../recipes/vit.js'
import { multiplyAdds } from '../../src/graph/cost.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { collectNodes } from '../../src/graph/graph.js'
import { print } from '../../src/graph/print.js'
import { trace } from '../../src/graph/trace.js'
import { validate } from '../../src/graph/validate.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, type Tensor } from '../../src/ops/tensor.js'
import { narrowRows } from '../../src/passes/narrowRows.js'
import { crossEntropy } from '../../src/training/losses/crossEntropy.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { valueOf } from '../support/either.js'
import { leaves } from './randomGraph.js'

/** The roots after the pass, which compute what they did. */
const narrowed = (roots: readonly Tensor[]): readonly Tensor[] => {
  const after = narrowRows(roots) as readonly Tensor[]
  expect(validate(after)).toEqual([])
  const [old, now] = [roots, after].map(some => evaluateGraph(some, 2, leaves))
  old!.forEach(({ data }, root) => data.forEach((value, i) => expect(Math.abs(now![root]!.data[i]! - value)).toBeLessThan(1e-9)))
  return after
}
const shapesOf = (roots: readonly Tensor[], op: string): readonly string[] => collectNodes(roots).filter(n => n.op === op).map(n => n.shape.join('×'))
const first = (x: Tensor): Tensor => ops.slice(x, x.shape.map(() => 0), x.shape.map((size, axis) => (axis === x.shape.length - 2 ? 1 : size)))

const x = ops.input('x', [8, 4])
const parameter = (name: string, shape: readonly number[]): Tensor => ops.parameter(name, shape, { kind: 'zeros' })
const [w, b] = [parameter('w', [4, 4]), parameter('b', [4])]

describe('rows that nothing needs', () => {
  const options = { imageSize: 8, channels: 1, patchSize: 2, dim: 8, depth: 3, numHeads: 2, mlpRatio: 2, numClasses: 3 }
  const graph = valueOf(trace(vitRecipe(options).model as unknown as AnyModel))
  const logits = graph.output as Tensor

  it('are not computed behind the last attention of a ViT that ends with its class token', () => {
    const after = narrowed([logits])
    expect(shapesOf(after, 'attention')).toEqual(['17×8', '17×8', '1×8'])
    expect(shapesOf(after, 'gelu')).toEqual(['17×16', '17×16', '1×16'])
  })

  it('are not computed by the gradients of what is behind it either', () => {
    const loss = crossEntropy(logits, ops.input('y', [3]))
    const { of } = gradient(loss, graph.parameters)
    const roots = [loss, ...of.values()]
    const after = narrowed(roots)
    expect(shapesOf(after, 'geluGradient')).toEqual(['1×16', '17×16', '17×16'])
    const cost = (some: readonly Tensor[]): number => multiplyAdds(collectNodes(some)).linear
    // Of each of three blocks, its two largest maps and their gradients.
    expect(cost(after)).toBeLessThan(0.85 * cost(roots))
  })

  it('are computed where a feature shows them', () => {
    const after = narrowed([logits, graph.features.get('blocks.2') as Tensor])
    expect(shapesOf(after, 'gelu')).toEqual(['17×16', '17×16', '17×16'])
  })

  it('are computed where an average needs them', () => {
    const { output } = valueOf(trace(vitRecipe({ ...options, pool: 'average' }).model as unknown as AnyModel))
    expect(print(narrowRows([output]))).toBe(print([output]))
  })
})

describe('narrower rows', () => {
  const relu = ops.relu(ops.linear(x, w, b))

  it('are those that several users need between them', () => {
    const wide = ops.relu(ops.linear(ops.input('z', [9, 4]), w, b))
    const at = (row: number): Tensor => ops.slice(wide, [row, 0], [1, 4])
    expect(shapesOf(narrowed([at(3), at(4)]), 'relu')).toEqual(['2×4'])
    // Far apart they are nearly all rows.
    expect(shapesOf(narrowed([at(0), at(8)]), 'relu')).toEqual(['9×4'])
  })

  it('leave an operand that is the same for all rows alone', () => expect(shapesOf(narrowed([first(ops.relu(ops.add(x, b)))]), 'relu')).toEqual(['1×4']))

  it('are one with a slice of channels', () => expect(shapesOf(narrowed([ops.slice(relu, [2, 1], [1, 2])]), 'relu')).toEqual(['1×4']))

  it('are whole where rows are compared with each other', () => {
    for (const t of [ops.transpose(relu, [1, 0]), ops.sum(relu, [0], true), ops.mean(relu, [0], true), ops.softmax(ops.transpose(relu, [1, 0]))]) expect(shapesOf(narrowed([t]), 'relu')).toEqual(['8×4'])
  })

  it('are those of the queries of an attention', () => {
    const attended = ops.attention(relu, ops.linear(x, w), x, { numHeads: 2, scale: 1 })
    const after = narrowed([first(attended)])
    expect([shapesOf(after, 'attention'), shapesOf(after, 'relu'), shapesOf(after, 'linear')]).toEqual([['1×4'], ['1×4'], ['1×4', '8×4']])
  })

  it('keep a bias that every row has', () => {
    const padded = ops.pad(ops.input('z', [1, 4]), [2, 0], [8, 4])
    // A map without bias of zeros is zeros; with one it is not.
    expect(shapesOf(narrowed([ops.linear(padded, w)]), 'linear')).toEqual(['1×4'])
    expect(shapesOf(narrowed([ops.linear(padded, w, b)]), 'linear')).toEqual(['8×4'])
  })

  it('are all that a sum of two padded tensors holds', () => {
    const at = (row: number): Tensor => ops.pad(ops.input(`z${row}`, [1, 4]), [row, 0], [9, 4])
    expect(shapesOf(narrowed([ops.linear(ops.add(at(2), at(3)), w)]), 'linear')).toEqual(['2×4'])
    expect(shapesOf(narrowed([ops.multiply(at(2), at(3))]), 'multiply')).toEqual(['9×4'])
  })

  it('are what the gradient of a weight is summed over', () => {
    const dy = ops.pad(ops.input('z', [1, 4]), [2, 0], [8, 4])
    const [weight] = narrowed([ops.linearWeightGradient(ops.relu(x), dy)])
    expect(isOp(weight!, 'linearWeightGradient') && weight.inputs.map(t => t.shape)).toEqual([[1, 4], [1, 4]])
    expect(shapesOf([weight!], 'relu')).toEqual(['1×4'])
  })

  it('of two tensors are told apart where they come from the same rows', () => {
    const at = (row: number): Tensor => ops.pad(x, [row, 0], [10, 4])
    expect(shapesOf(narrowed([at(0), at(2)]), 'pad')).toEqual(['10×4', '10×4'])
    expect(shapesOf(narrowed([ops.relu(at(0)), ops.relu(at(2)), first(at(1))]), 'pad')).toContain('10×4')
  })

  it('may all be zeros', () => {
    const padded = ops.pad(ops.pad(x, [8, 0], [16, 4]), [0, 0], [20, 4])
    expect(narrowed([ops.slice(padded, [0, 0], [8, 4])])[0]!.shape).toEqual([8, 4])
  })

  it('are none of a single number', () => expect(narrowed([ops.add(ops.scalar(1), ops.scalar(2)), first(relu)])[0]!.shape).toEqual([]))
})
