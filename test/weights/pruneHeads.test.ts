import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { compile, cost, encoderBlock, initialWeights, input, pruneHeads, quantisationScales, repeat, selfAttention, serial, trace, windowAttention, windows, type AnyModel, type HeadsByPath } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const seeded = (m: unknown): Map<string, Float32Array> => new Map([...valueOf(initialWeights(m as AnyModel, 3))].map(([name, values]) => [name, /norm/.test(name) ? values : values.map((value, i) => 8 * value + Math.sin(i) / 10)]))
const ran = async (m: unknown, weights: ReadonlyMap<string, Float32Array>): Promise<readonly number[]> => {
  const program = valueOf(await compile(m as AnyModel as never, { backend: reference, weights })())
  const size = ((m as AnyModel).input as { readonly shape: readonly number[] }).shape.reduce((a, b) => a * b, 1)
  const values = valueOf(await program.run(Float32Array.from({ length: size }, (_, i) => Math.sin(i)) as never)()) as unknown as Float32Array
  program.dispose()
  return [...values]
}

/** The same weights, but for the columns that the heads of a projection have: nothing comes from those heads. */
const masked = (weights: ReadonlyMap<string, Float32Array>, name: string, heads: readonly number[], headDim: number, width: number): Map<string, Float32Array> =>
  new Map(weights).set(name, weights.get(name)!.map((value, i) => (heads.includes(Math.floor((i % width) / headDim)) ? 0 : value)))

describe('a model without some heads', () => {
  it.each([
    ['blocks that make their attention', pipe(input(5, 12), repeat(2, encoderBlock({ numHeads: 3, qkNorm: true }))), 'blocks.1.attn', 'proj.weight'],
    ["attention by PyTorch's names", pipe(input(5, 12), selfAttention({ numHeads: 3, naming: 'torch' })), 'attn', 'out_proj.weight'],
    ['attention without biases', pipe(input(5, 12), selfAttention({ numHeads: 3, qkvBias: false, projBias: false, scale: 0.3 })), 'attn', 'proj.weight'],
    ['windows with tables of distances', pipe(input(4, 4, 12), windows({ windowSize: 2, shift: 1 }, windowAttention({ numHeads: 3 }))), 'attn', 'proj.weight'],
  ])('gives what the whole one gives with them masked: %s', async (_, model, path, projection) => {
    const weights = seeded(model)
    for (const gone of [[1], [0, 2]]) {
      const pruned = valueOf(pruneHeads(model as never, weights, { [path]: gone }))
      const expected = await ran(model, masked(weights, `${path}.${projection}`, gone, 4, 12))
      const ours = await ran(pruned.model, pruned.weights)
      ours.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
    }
  })

  it('can lose more, and costs less', () => {
    const { model } = recipes.vit_tiny_patch16_224
    const weights = seeded(model)
    const first = valueOf(pruneHeads(model, weights, { 'blocks.0.attn': [0], 'blocks.11.attn': [1, 2] }))
    const second = valueOf(pruneHeads(first.model, first.weights, { 'blocks.0.attn': [1] }))
    expect(second.weights.get('blocks.0.attn.qkv.weight')!.length).toBe(3 * 64 * 192)
    const macs = (m: unknown): number => cost(valueOf(trace(m as AnyModel))).macs.total
    expect(macs(second.model)).toBeLessThan(macs(first.model))
    expect(macs(first.model)).toBeLessThan(macs(model))
  })

  const model = pipe(input(5, 12), serial(repeat(1, encoderBlock({ numHeads: 3 }))))
  it.each([
    ['unknownPath', { 'blocks.0.atn': [0] }, "did you mean 'blocks.0.attn'?"],
    ['noHeads', { 'blocks.0.mlp': [0] }, 'such layers are blocks.0.attn'],
    ['noSuchHead', { 'blocks.0.attn': [3] }, undefined],
    ['allHeads', { 'blocks.0.attn': [0, 1, 2] }, 'keep at least one head'],
  ] as const)('is refused with %s', (code, heads, remedy) => {
    expect(problemOf(pruneHeads(model, seeded(model), heads as HeadsByPath))).toMatchObject({ code, ...(remedy === undefined ? {} : { remedy }) })
  })

  it('needs the weights of the whole one', () => {
    expect(problemOf(pruneHeads(model, new Map(), { 'blocks.0.attn': [0] }))).toMatchObject({ code: 'missingWeight' })
    const fewer = new Map(seeded(model)).set('blocks.0.attn.qkv.weight', new Float32Array(10))
    expect(problemOf(pruneHeads(model, fewer, { 'blocks.0.attn': [0] }))).toMatchObject({ code: 'weightMisfit', sentence: expect.stringContaining('has 10 values') as string })
  })
})

describe('scales of a quantisation', () => {
  it('bring the largest magnitude to the end of the range, of all or of each slice', () => {
    const values = [1, -2, 4, 0.5, 0, 0]
    expect(quantisationScales(values, [3, 2])).toEqual([4 / 127])
    expect(quantisationScales(values, [3, 2], { range: [-128, 127], axis: 0 })).toEqual([2 / 127.5, 4 / 127.5, 1])
    expect(quantisationScales(values, [3, 2], { axis: 1 })).toEqual([4 / 127, 2 / 127])
  })
})
