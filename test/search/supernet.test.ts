import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { autoformerRecipe } from '../../recipes/autoformer.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { initialWeights, parametersOf, trace } from '../../src/index.js'
import { defineSpace } from '../../src/search/defineSpace.js'
import { inheritedScore } from '../../src/search/inheritedScore.js'
import { inheritedWeights } from '../../src/search/inheritedWeights.js'
import { search } from '../../src/search/search.js'
import { trainSupernet, type SupernetOptions } from '../../src/search/trainSupernet.js'
import { train } from '../../src/training/loop/train.js'
import { problemOf, valueOf } from '../support/either.js'
import { side, stripes } from '../training/stripes.js'

const sizes = { imageSize: side, channels: 1, patchSize: 4, headDim: 4, maxDistance: 2, numClasses: 4 } as const
const modelOf = (picked: { readonly dim: number; readonly depth: number; readonly numHeads: number | readonly number[]; readonly mlpRatio?: number | readonly number[] }) => autoformerRecipe({ ...sizes, mlpRatio: 2, ...picked } as never).model as unknown as AnyModel
const whole = modelOf({ dim: 12, depth: 2, numHeads: 3 })
const space = defineSpace({ dim: [8, 12], depth: [1, 2], numHeads: { each: [1, 2, 3], times: 'depth' } }, modelOf, { whole })
const part = { dim: 8, depth: 1, numHeads: [2] } as const
const alone = defineSpace({ dim: [8], depth: [1], numHeads: { each: [2], times: 'depth' } }, modelOf, { whole })

const data = { train: stripes(64, 1), workers: 0, mean: [0.5], std: [0.25] }
const settings: SupernetOptions = { backend: cpu, batchSize: 16, steps: 6, optimiser: { name: 'adamw', config: { weightDecay: 0.1 } }, schedule: { name: 'constant', config: { rate: 0.01 } }, clipNorm: 0.5, seed: 4 }
const begin = valueOf(initialWeights(whole as never, 9))
const shapes = new Map(parametersOf(valueOf(trace(whole))).map(p => [p.attributes.name, p.shape]))

describe('training a supernet', () => {
  it('of a single choice is training that part alone, in its corner of the weights', async () => {
    const shared = valueOf(await trainSupernet(alone, data, { ...settings, weights: begin })())
    const own = valueOf(await train(modelOf(part) as never, data, { ...settings, weights: valueOf(inheritedWeights(modelOf(part), whole, begin)) })())
    const corner = valueOf(inheritedWeights(modelOf(part), whole, shared.weights))
    expect([...corner.keys()]).toEqual([...own.weights.keys()])
    for (const [name, values] of own.weights) values.forEach((value, i) => expect(Math.abs(corner.get(name)![i]! - value)).toBeLessThan(2e-5))
  })

  it('leaves what no part uses as it was', async () => {
    const { weights } = valueOf(await trainSupernet(alone, data, { ...settings, weights: begin })())
    for (const [name, values] of weights) {
      if (name.startsWith('blocks.1.')) expect(values).toEqual(begin.get(name))
    }
    // Beyond the first 8 of 12 channels nothing but weight decay moves a weight that is shared.
    const [rate, decay] = [0.01, 0.1]
    const bias = weights.get('blocks.0.fc2.bias')!
    expect([...bias.subarray(8)]).toEqual([...begin.get('blocks.0.fc2.bias')!.subarray(8)])
    const matrix = weights.get('blocks.0.fc2.weight')!
    const columns = shapes.get('blocks.0.fc2.weight')![1]!
    const before = begin.get('blocks.0.fc2.weight')![11 * columns]!
    expect(matrix[11 * columns]! / before).toBeCloseTo((1 - rate * decay) ** 6, 6)
  })

  it('stopped and resumed, ends with the same bytes', { timeout: 60_000 }, async () => {
    const place = join(mkdtempSync(join(tmpdir(), 'supernet-')), 'run')
    const straight = join(mkdtempSync(join(tmpdir(), 'supernet-')), 'run')
    const controller = new AbortController()
    const first = valueOf(await trainSupernet(space, data, { ...settings, backend: wasm, folder: place, signal: controller.signal, onEvent: event => event.kind === 'metric' && event.metric.step === 3 && controller.abort() })())
    expect(first.reason).toBe('aborted')
    valueOf(await trainSupernet(space, data, { ...settings, backend: wasm, folder: place, resume: true })())
    valueOf(await trainSupernet(space, data, { ...settings, backend: wasm, folder: straight })())
    expect(readFileSync(join(place, 'last.safetensors')).equals(readFileSync(join(straight, 'last.safetensors')))).toBe(true)
  })

  it('holds no more buffers after many sub-networks than before', async () => {
    const device = valueOf(await wasm.open())
    const run = () => trainSupernet(space, data, { ...settings, backend: wasm, steps: 20 })()
    valueOf(await run())
    const { buffers } = device.held!()
    valueOf(await run())
    expect(device.held!().buffers).toBe(buffers)
  })

  it.each([
    [{ whole: undefined }, {}, 'badSpace'],
    [{}, { budget: { params: 3 } }, 'noneWithinBudget'],
    [{}, { budget: { params: -1 } }, 'badBudget'],
    [{}, { accumulate: 2 }, 'badOption'],
  ] as const)('with %j and %j is refused: %s', async (changed, options, code) => {
    const other = 'whole' in changed ? defineSpace(space.choices as never, modelOf as never) : space
    expect(problemOf(await trainSupernet(other as never, data, { ...settings, ...options } as never)()).code).toBe(code)
  })
})

describe('one-shot search', () => {
  it('finds, with inherited weights, what scores best when all are scored', { timeout: 60_000 }, async () => {
    const { weights } = valueOf(await trainSupernet(space, data, { ...settings, backend: wasm, steps: 60 })())
    const score = inheritedScore(whole, weights, { samples: stripes(64, 2), mean: [0.5], std: [0.25], workers: 0 }, { backend: wasm, batchSize: 32 })
    const all = valueOf(await search(space, score as never, {}, { population: 30, generations: 2 })())
    expect(all.scored.length).toBe(24)
    const few = valueOf(await search(space, score as never, { params: all.best.params }, { population: 6, generations: 4, seed: 2 })())
    expect(few.best.score).toBeGreaterThan(0.25)
    expect(few.best.score).toBeLessThanOrEqual(all.best.score)
    expect(all.scored.find(({ key }) => key === few.best.key)!.score).toBe(few.best.score)
  })

  it('says which weight of the whole is missing', async () => {
    const score = inheritedScore(whole, new Map(), { samples: stripes(8, 2) }, { backend: cpu, batchSize: 8 })
    const found = await search(alone, score as never, {}, { population: 1, generations: 1 })()
    expect(problemOf(found)).toMatchObject({ code: 'missingWeight' })
  })
})
