import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { reference } from '../../src/backends/reference/index.js'
import { encoderBlock, flattenTokens, identity, initialWeights, input, linear, parametersOf, selfAttention, serial, shapeOf, tap, trace, windowAttention, windows, type AnyModel, type Model } from '../../src/index.js'
import { relativePositionIndex } from '../../src/layers/core/relativePositionIndex.js'
import { shiftedWindowMask } from '../../src/layers/core/shiftedWindowMask.js'
import { random } from '../random.js'
import { problemOf, valueOf } from '../support/either.js'

const run = async (model: Model<never, never>, x: Float32Array, weights: ReadonlyMap<string, Float32Array>): Promise<readonly number[]> => {
  const program = valueOf(await compile(model, { backend: reference, weights })())
  const values = valueOf(await program.run(x as never)()) as unknown as Float32Array
  program.dispose()
  return Array.from(values)
}
const weightsOf = (model: unknown, seed = 1): Map<string, Float32Array> => new Map([...valueOf(initialWeights(model as Model<never, never>, seed))].map(([name, values]) => [name, random(name.length + seed).values(values.length)]))
const any = (model: unknown): Model<never, never> => model as Model<never, never>

describe('windows', () => {
  it.each([[[4, 6], 2, 0], [[4, 6], [2, 3], 1], [[5, 7], [2, 3], [1, 2]], [[3, 3], 5, 4], [[2, 9], 4, 2], [[7, 5], 3, 0]] as const)('puts a map of %o back as it was, windows of %o shifted by %o', async ([height, width], windowSize, shift) => {
    const x = random(3).values(2 * height * width * 3)
    for (const clamp of ['each', 'both', 'never'] as const)
      expect(await run(any(pipe(input(height, width, 3), windows({ windowSize, shift, padding: true, clamp }, identity()))), x, new Map())).toEqual(Array.from(x))
  })

  it.each([[[4, 6], 2], [[4, 6], [2, 3]], [[5, 7], [2, 3]], [[3, 3], 5], [[2, 9], 4]] as const)('puts a map of %o back as it was, dilated windows of %o', async ([height, width], windowSize) => {
    const x = random(3).values(2 * height * width * 3)
    expect(await run(any(pipe(input(height, width, 3), windows({ windowSize, padding: true, dilated: true }, identity()))), x, new Map())).toEqual(Array.from(x))
  })

  it('refuses to shift dilated windows, which have no borders', () => {
    expect(problemOf(shapeOf(pipe(input(4, 6, 8), windows({ windowSize: 2, shift: 1, dilated: true }, identity()))))).toMatchObject({ code: 'notAShift', sentence: 'windows: dilated windows do not shift, got 1×1', remedy: 'leave out the shift, or dilated' })
  })

  it('runs a block on each window as on a map of its own, with one set of weights', async () => {
    const block = encoderBlock({ numHeads: 2, mlpRatio: 2 })
    const [whole, one] = [any(pipe(input(4, 6, 4), windows({ windowSize: [2, 3] }, block))), any(pipe(input(2, 3, 4), flattenTokens(), block))]
    const weights = weightsOf(whole)
    expect(parametersOf(valueOf(trace(one as AnyModel))).map(p => p.attributes.name)).toEqual([...weights.keys()])
    const x = random(5).values(4 * 6 * 4)
    const values = await run(whole, x, weights)
    for (const [top, left] of [[0, 0], [0, 3], [2, 0], [2, 3]] as const) {
      const cut = (from: ArrayLike<number>): readonly number[] => [0, 1].flatMap(y => Array.from(from).slice(((top + y) * 6 + left) * 4, ((top + y) * 6 + left + 3) * 4))
      const ours = cut(values)
      const alone = await run(one, Float32Array.from(cut(x)), weights)
      ours.forEach((value, i) => expect(value).toBeCloseTo(alone[i]!, 6))
    }
  })

  it('rolls, cuts, masks and rolls back: a token of a shifted window attends to its neighbours only', async () => {
    const model = any(pipe(input(4, 4, 2), windows({ windowSize: 2, shift: 1 }, selfAttention({ numHeads: 1 }))))
    const weights = weightsOf(model)
    const x = random(8).values(32)
    const before = await run(model, x, weights)
    // Windows of the shifted map hold rows and columns {1, 2} or {3, 0}; of the latter, 3 and 0 are no neighbours.
    const group = (at: number): string => (at === 1 || at === 2 ? 'middle' : String(at))
    for (const [y, z] of [[0, 0], [1, 2], [3, 0], [3, 1]] as const) {
      const moved = Float32Array.from(x, (v, i) => (Math.floor(i / 2) === y * 4 + z ? v + 1 : v))
      const after = await run(model, moved, weights)
      const changed = new Set(after.flatMap((v, i) => (Math.abs(v - before[i]!) > 1e-9 ? [Math.floor(i / 2)] : [])))
      const expected = Array.from({ length: 16 }, (_, t) => t).filter(t => group(Math.floor(t / 4)) === group(y) && group(t % 4) === group(z))
      expect([...changed].sort((a, b) => a - b)).toEqual(expected)
    }
  })

  it('gives every attention the mask: selfAttention is windowAttention whose table is zero', async () => {
    const [plain, relative] = [selfAttention({ numHeads: 2 }), windowAttention({ numHeads: 2 })].map(block => any(pipe(input(4, 6, 4), windows({ windowSize: [2, 3], shift: [1, 1] }, block))))
    const weights = weightsOf(plain)
    const x = random(4).values(96)
    const zero = new Map([...weights, ['attn.relative_position_bias_table', new Float32Array(3 * 5 * 2)]])
    expect(await run(relative!, x, zero)).toEqual(await run(plain!, x, weights))
  })

  it('offers what is inside as features, of all windows', () => {
    const { features, layers } = valueOf(trace(pipe(input(4, 6, 4), windows({ windowSize: 2, shift: 1 }, serial(windowAttention({ numHeads: 2 }), linear(5)))) as AnyModel))
    expect(Object.fromEntries([...features].map(([name, signal]) => [name, (signal as { readonly shape: unknown }).shape]))).toEqual({
      attn_mask: [6, 4, 4], 'attn.relative_position_index': [4, 4], 'attn.weights': [6, 2, 4, 4], attn: [6, 4, 4], linear: [6, 4, 5],
    })
    expect(layers.map(row => [row.path, row.output])).toEqual([['', [4, 6, 5]], ['attn', [4, 4]], ['linear', [4, 5]]])
  })

  it('tells a layer of its window through a tap', async () => {
    const block = windowAttention({ numHeads: 2 })
    const [plain, tapped] = [block, tap('seen', block)].map(inner => any(pipe(input(4, 6, 4), windows({ windowSize: [2, 3], shift: 1 }, inner))))
    const weights = weightsOf(plain)
    const x = random(6).values(96)
    expect(await run(tapped!, x, weights)).toEqual(await run(plain!, x, weights))
    expect(valueOf(trace(tapped as AnyModel)).features.has('seen')).toBe(true)
  })

  it('draws a drop mask for each window', () => {
    const { nodes } = valueOf(trace(pipe(input(4, 6, 4), windows({ windowSize: 2 }, windowAttention({ numHeads: 2, attentionDropout: 0.1, projDropout: 0.2 }))) as AnyModel, { mode: 'training' }))
    expect(nodes.filter(n => n.op === 'dropMask').map(n => n.shape)).toEqual([[6, 2, 4, 4], [6, 4, 4]])
  })

  it.each([
    [pipe(input(8, 8, 4), windows({ windowSize: 4, shift: 4 }, identity())), "windows: shift must be a whole number from 0 and below the window's 4, got 4"],
    [pipe(input(8, 8, 4), windows({ windowSize: 0 as number }, identity())), 'windows: windowSize must be a whole number from 1 to 10^9, got 0'],
    [pipe(input(12, 4), windowAttention({ numHeads: 2 })), 'attention: 12 tokens are not a square window (12×4)'],
    [pipe(input(12, 4), windowAttention({ numHeads: 2, headDim: 0 })), 'attention: headDim must be a whole number from 1 to 10^9, got 0'],
  ])('refuses what the compiler cannot see', (model, sentence) => {
    expect(problemOf(shapeOf(model as unknown as Model<unknown, unknown>)).sentence).toBe(sentence)
  })
})

describe('the tables of a window', () => {
  it('index of 2×2: query minus key, rows times three', () => {
    expect(Array.from(relativePositionIndex(2, 2))).toEqual([4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4])
  })

  it('index of a rectangle: each of its (2·2−1)·(2·3−1) rows is used, symmetric about the middle', () => {
    const index = relativePositionIndex(2, 3)
    expect(new Set(index).size).toBe(15)
    for (let q = 0; q < 6; q++) for (let k = 0; k < 6; k++) expect(index[q * 6 + k]! + index[k * 6 + q]!).toBe(14)
  })

  it('mask of a map rolled along one axis keeps the other whole', () => {
    const mask = shiftedWindowMask([4, 2], [2, 2], [1, 0])
    expect(Array.from(mask.slice(0, 16))).toEqual(Array.from({ length: 16 }, () => 0))
    const far = -100
    expect(Array.from(mask.slice(16))).toEqual([0, 0, far, far, 0, 0, far, far, far, far, 0, 0, far, far, 0, 0])
  })
})
