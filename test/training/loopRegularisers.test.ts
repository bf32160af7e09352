import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Backend } from '../../src/backends/device.js'
import { reference } from '../../src/backends/reference/index.js'
import { openSession } from '../../src/backends/openSession.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { dropPath, dropout, input, layerScale, linear, named, repeat, residual, serial, tokenDropout } from '../../src/index.js'
import type { AnyLayer } from '../../src/layers/core/layer.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import { trace } from '../../src/graph/trace.js'
import { linearDropPath } from '../../src/training/linearDropPath.js'
import { valueOf } from '../support/either.js'

/** What a model makes of ones in training mode at a step: `[samples][rows of its output]`. */
const onOnes = async (model: AnyModel, samples: number, step: number, backend: Backend = reference, seed = 3): Promise<Float32Array> => {
  const graph = valueOf(trace(model, { mode: 'training' }))
  const weights = new Map(graph.parameters.map(p => [p.attributes.name, new Float32Array(p.shape.reduce((a, b) => a * b, 1)).fill(p.attributes.initialiser.kind === 'constant' ? p.attributes.initialiser.value : 1)]))
  using session = valueOf(await openSession({ run: { inputs: graph.inputs, outputs: { y: graph.output } } }, { backend, weights })())
  const size = (model.input as { readonly shape: readonly number[] }).shape.reduce((a, b) => a * b, 1)
  return valueOf(await session.run('run', new Float32Array(samples * size).fill(1), { seed, step })())['y'] as Float32Array
}

const share = (values: Float32Array): number => values.filter(value => value !== 0).length / values.length
const rows = (values: Float32Array, of: number): readonly (readonly number[])[] => Array.from({ length: values.length / of }, (_, i) => [...values.subarray(i * of, (i + 1) * of)])

const tokens = (layer: AnyLayer): AnyModel => pipe(input(6, 4), named('it', layer as never) as never) as unknown as AnyModel

describe('in training', () => {
  it.each([0.1, 0.5])('dropout keeps each number with its probability and makes up for the rest, at rate %d', async rate => {
    const values = await onOnes(tokens(dropout(rate)), 2000, 1)
    // Five deviations of a count of 48,000.
    expect(Math.abs(share(values) - (1 - rate))).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / values.length))
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]))
  })

  it('dropPath drops a whole sample or nothing of it, each sample on its own', async () => {
    const samples = rows(await onOnes(tokens(dropPath(0.25)), 4000, 1), 24)
    expect(samples.every(sample => new Set(sample).size === 1)).toBe(true)
    const kept = samples.filter(([first]) => first !== 0).length / samples.length
    expect(Math.abs(kept - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / samples.length))
    expect(samples.find(([first]) => first !== 0)![0]).toBeCloseTo(4 / 3, 6)
  })

  it('tokenDropout drops whole tokens, and never those at the front', async () => {
    const all = rows(await onOnes(tokens(tokenDropout(0.5, { prefixTokens: 2 })), 500, 1), 4)
    expect(all.every(token => new Set(token).size === 1)).toBe(true)
    expect(all.filter((_, i) => i % 6 < 2).every(([first]) => first === 1)).toBe(true)
    expect(Math.abs(all.filter(([first], i) => i % 6 >= 2 && first !== 0).length / 2000 - 0.5)).toBeLessThan(0.06)
  })

  it('masks are others at another step, with another seed and in another layer, and the same where nothing is other', async () => {
    const model = tokens(dropout(0.5))
    const first = await onOnes(model, 50, 1)
    expect(await onOnes(model, 50, 1)).toEqual(first)
    const elsewhere = pipe(input(6, 4), named('other', dropout(0.5))) as unknown as AnyModel
    const others = [await onOnes(model, 50, 2), await onOnes(model, 50, 1, reference, 4), await onOnes(elsewhere, 50, 1)]
    // Of independent masks half the places agree.
    for (const other of others) expect(Math.abs(other.filter((value, i) => value === first[i]).length / first.length - 0.5)).toBeLessThan(0.08)
  })

  it.each([['cpu', cpu], ['wasm', wasm]] as const)('masks on %s are those of reference', async (_, backend) => {
    const model = tokens(serial(dropout(0.3), dropPath(0.3), tokenDropout(0.3)))
    expect(await onOnes(model, 40, 7, backend)).toEqual((await onOnes(model, 40, 7)).map(Math.fround))
  })

  it('rates of stochastic depth rise evenly over the blocks, and blocks drop on their own', async () => {
    const depth = 5
    const rates = linearDropPath(0.4, depth)
    expect(rates).toEqual([0, 0.1, 0.2, 0.30000000000000004, 0.4].map(rate => expect.closeTo(rate, 12) as number))
    // Branches add 10, 20, 40 … where they are kept, so that the sum tells which were.
    const model = pipe(input(1), repeat(depth, index => residual(serial(named('set', layerScale(0)), named('bias', linear(1)), named('size', layerScale(2 ** index)), dropPath(rates[index]!))))) as unknown as AnyModel
    const graph = valueOf(trace(model, { mode: 'training' }))
    const weights = new Map(graph.parameters.map(p => [p.attributes.name, Float32Array.of(/size/.test(p.attributes.name) ? 2 ** Number(/\d/.exec(p.attributes.name)![0]) * (1 - rates[Number(/\d/.exec(p.attributes.name)![0])]!) : /bias\.bias/.test(p.attributes.name) ? 1 : 0)]))
    using session = valueOf(await openSession({ run: { inputs: graph.inputs, outputs: { y: graph.output } } }, { backend: reference, weights })())
    const samples = 4000
    const sums = valueOf(await session.run('run', new Float32Array(samples), { seed: 1, step: 1 })())['y'] as Float32Array
    rates.forEach((rate, block) => {
      const kept = sums.filter(sum => (Math.round(sum) >> block) & 1).length / samples
      expect(Math.abs(kept - (1 - rate)), `block ${block}`).toBeLessThanOrEqual(5 * Math.sqrt((rate * (1 - rate)) / samples))
    })
  })
})
