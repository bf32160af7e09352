import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeIdx } from '../training/idxFiles.js'
import { classes, side, stripes } from '../training/stripes.js'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'search-'))
const at = (name: string): string => join(folder, name)

const config = {
  space: {
    recipe: 'autoformer_t_supernet',
    config: { imageSize: side, channels: 1, patchSize: 4, headDim: 4, numClasses: 4, relativePosition: false },
    choices: { dim: [8, 12], depth: [1, 2], numHeads: { each: [1, 2], times: 'depth' }, mlpRatio: [1, 2] },
  },
  data: { kind: 'idx', images: 'train-images', labels: 'train-labels', classes, validation: 0.5, workers: 0, mean: [0.5], std: [0.25], crop: 1 },
  test: { kind: 'idx', images: 'test-images', labels: 'test-labels' },
  supernet: { steps: 6, batchSize: 8, optimiser: { name: 'adamw' }, schedule: { name: 'constant', config: { rate: 0.003 } } },
  budget: { params: 2000 },
  search: { population: 4, generations: 2, parents: 2 },
  compare: { dim: 8, depth: 1, numHeads: [2], mlpRatio: 2 },
}

const write = (name: string, change: (config: Record<string, never>) => object = c => c): string => {
  writeFileSync(at(name), JSON.stringify(change(structuredClone(config) as unknown as Record<string, never>)))
  return at(name)
}
const read = (name: string): string => readFileSync(at(name), 'utf8')

beforeAll(async () => {
  await writeIdx(folder, 'train', stripes(40, 1))
  await writeIdx(folder, 'test', stripes(20, 2))
})

describe('vitrail search', () => {
  it('trains a supernet, searches it, and leaves a model that other commands take', { timeout: 60_000 }, async () => {
    const { code, out, err } = await captured('search', write('small.json'), '--out', at('run'))
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('space       24 choices of dim, depth, numHeads, mlpRatio\nbudget      parameters at most 2.0 k\n')
    expect(out).toMatch(/generation 2: \d+\.\d\d %, [\d.]+ k multiply-adds, [\d.]+( k)? parameters: \{"dim":/)
    expect(out).toMatch(/tested {6}\d+\.\d\d % of 20 \(95 % interval/)
    expect(out).toMatch(/by hand {5}\d+\.\d\d % of 20 .*"dim":8,"depth":1,"numHeads":\[2\],"mlpRatio":2/)
    const scored = read('run/scored.jsonl').trim().split('\n').map(line => JSON.parse(line) as { readonly key: string; readonly params: number })
    expect(scored.length).toBe(8)
    expect(scored[0]!.key).toBe(JSON.stringify(config.compare))
    expect(scored.every(({ params }) => params <= 2000)).toBe(true)
    expect(read('run/front.svg')).toMatch(/^<svg/)
    expect(read('run/report.html')).toContain('made by hand')
    const found = JSON.parse(read('run/found.json')) as { readonly config: Record<string, unknown> }
    expect(found.config).toMatchObject(config.space.config)
    const tested = /tested {6}(\d+\.\d\d) %/.exec(out)![1]
    const evaluated = await captured('eval', at('run/found.safetensors'), '--data', at('test-images'), '--labels', at('test-labels'), '--json')
    expect((100 * (JSON.parse(evaluated.out) as { readonly accuracy: number }).accuracy).toFixed(2)).toBe(tested)
    expect((await captured('summary', at('run/found.json'))).code).toBe(0)

    // Again, with all that is there: neither trained nor scored a second time.
    const again = await captured('search', at('small.json'), '--out', at('run'), '--resume')
    expect(again.out).toContain('goes on     from step 6')
    expect(again.out.split('\n').slice(-5)).toEqual(out.split('\n').slice(-5))
    expect(read('run/scored.jsonl').trim().split('\n').length).toBe(8)

    // And after a kill in the midst of a line: what is scored next has a line of its own.
    const whole = read('run/scored.jsonl')
    writeFileSync(at('run/scored.jsonl'), whole.slice(0, -9))
    expect((await captured('search', at('small.json'), '--out', at('run'), '--resume')).code).toBe(0)
    expect(read('run/scored.jsonl').split('\n').slice(7)).toEqual([whole.slice(0, -9).split('\n').at(-1), whole.split('\n')[7], ''])
  })

  it.each([
    [(c: Record<string, never>) => ({ ...c, budgets: {} }), "there is no option 'budgets'; did you mean 'budget'?"],
    [(c: Record<string, never>) => ({ ...c, search: { populaton: 3 } }), "there is no option 'search.populaton'; did you mean 'search.population'?"],
    [(c: Record<string, never>) => ({ ...c, supernet: undefined }), "needs 'supernet'"],
    [(c: Record<string, never>) => ({ ...c, space: { recipe: 'autoformr_t_supernet' } }), "space.recipe must be a published recipe, got \"autoformr_t_supernet\"; did you mean 'autoformer_t_supernet'?"],
    [(c: Record<string, never>) => ({ ...c, space: { ...(c['space'] as unknown as object), choices: { width: [1] } } }), "space: the recipe has no option 'width'"],
    [(c: Record<string, never>) => ({ ...c, data: { ...(c['data'] as unknown as object), validation: undefined } }), "needs 'data.validation', images to score candidates on that the whole is not trained on"],
    [(c: Record<string, never>) => ({ ...c, supernet: { ...(c['supernet'] as unknown as object), batchSize: 0 } }), 'train: batchSize must be a whole number from 1, got 0'],
    [(c: Record<string, never>) => ({ ...c, budget: { macs: 1 }, supernet: { ...(c['supernet'] as unknown as object), steps: 1 } }), 'none of'],
  ])('refuses a configuration that is wrong (%#)', async (change, sentence) => {
    const { code, err } = await captured('search', write('wrong.json', change as never), '--out', mkdtempSync(join(tmpdir(), 'wrong-')))
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })
})
