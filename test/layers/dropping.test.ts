import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { dropMaskValues } from '../../src/backends/dropMaskValues.js'
import { attentionDropout, dropout, dropPath, encoderBlock, input, repeat, tokenDropout, trace, type AnyModel, type Model } from '../../src/index.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { evaluateGraph, type Leaves } from '../evaluateGraph.js'

const masksOf = <I, S>(model: Model<I, S>): readonly Tensor<'dropMask'>[] => {
  const found = trace(model as AnyModel, { mode: 'training' })
  if (found._tag === 'Left') throw new Error(found.left.sentence)
  return found.right.nodes.filter((n): n is Tensor<'dropMask'> => n.op === 'dropMask')
}

/** What training makes of ones, with masks as a run would draw them. */
const ofOnes = <I, S>(model: Model<I, S>, batch: number): readonly number[] => {
  const found = trace(model as AnyModel, { mode: 'training' })
  if (found._tag === 'Left') throw new Error(found.left.sentence)
  const leaves: Leaves = (node, count) => (node.op === 'dropMask' ? dropMaskValues((node as Tensor<'dropMask'>).attributes.stream, 3, 0, (node as Tensor<'dropMask'>).attributes.keep, count) : new Float32Array(count).fill(1))
  return Array.from(evaluateGraph([found.right.output], batch, leaves)[0]!.data)
}

describe('what is dropped together', () => {
  it.each([
    ['dropout: nothing, each element on its own', pipe(input(6, 4), dropout(0.5)), [6, 4]],
    ['dropPath: all of a sample', pipe(input(6, 4), dropPath(0.5)), [1, 1]],
    ['tokenDropout: all channels of a token', pipe(input(6, 4), tokenDropout(0.5)), [6, 1]],
    ['tokenDropout: all channels of a token that is no prefix', pipe(input(6, 4), tokenDropout(0.5, { prefixTokens: 2 })), [4, 1]],
  ] as const)('by %s', (_, model, shape) => {
    expect(masksOf(model).map(m => m.shape)).toEqual([shape])
  })

  it('by attentionDropout: nothing, each weight on its own', () => expect(masksOf(pipe(input(2, 3, 3), attentionDropout(0.5))).map(m => m.shape)).toEqual([[2, 3, 3]]))
})

describe('what is kept', () => {
  it('is scaled up, so that the mean stays what it was', () => {
    const values = ofOnes(pipe(input(100, 50), dropout(0.2)), 4)
    expect(new Set(values)).toEqual(new Set([0, 1.25]))
    expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length - 1)).toBeLessThan(0.02)
  })

  it('of a path is a whole sample or nothing of it', () => {
    const [samples, size] = [200, 12]
    const values = ofOnes(pipe(input(3, 4), dropPath(0.5)), samples)
    const each = Array.from({ length: samples }, (_, i) => new Set(values.slice(i * size, (i + 1) * size)))
    expect(each.every(s => s.size === 1)).toBe(true)
    expect(new Set(each.flatMap(s => [...s]))).toEqual(new Set([0, 2]))
  })

  it('of tokens holds the prefix as it was', () => {
    const values = ofOnes(pipe(input(40, 2), tokenDropout(0.5, { prefixTokens: 3 })), 1)
    expect(values.slice(0, 6)).toEqual([1, 1, 1, 1, 1, 1])
    const tokens = Array.from({ length: 37 }, (_, i) => values.slice(6 + 2 * i, 8 + 2 * i))
    expect(tokens.every(([a, b]) => a === b)).toBe(true)
    expect(new Set(tokens.flat())).toEqual(new Set([0, 2]))
  })
})

describe('random streams', () => {
  it('are named after where they are, one for each place', () => {
    const masks = masksOf(pipe(input(5, 8), repeat(2, encoderBlock({ numHeads: 2, dropout: 0.1, attentionDropout: 0.2, dropPath: 0.3 }))))
    const streams = masks.map(m => m.attributes.stream)
    expect(new Set(streams).size).toBe(streams.length)
    for (const block of ['blocks.0', 'blocks.1']) {
      const own = masks.filter(m => m.attributes.stream.startsWith(`${block}.`))
      // Attention's weights and output, the MLP's hidden and output elements, and two paths.
      expect(own.map(m => Number((1 - m.attributes.keep).toFixed(6))).sort()).toEqual([0.1, 0.1, 0.1, 0.2, 0.3, 0.3])
    }
  })

  it('are none where nothing is dropped', () => {
    expect(masksOf(pipe(input(5, 8), repeat(2, encoderBlock({ numHeads: 2 })), dropout(0), dropPath(0), tokenDropout(0)))).toEqual([])
  })
})
