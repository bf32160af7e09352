import { describe, expect, it } from 'vitest'
import { trainingOptions } from './training/trainingOptions.js'
import { lossesApart, lossesSentence, stepRows, trainingSection, type Steps } from './training/trainingSection.js'

const models = ['vit_tiny_32', 'vit_fashion_mnist']

describe('the command line of bench:train', () => {
  it('runs everything where nothing is said', () => {
    const read = trainingOptions([], models)
    expect(read).toMatchObject({ _tag: 'Right', right: { models, batches: [16], threads: [1, 2], rounds: 5, plain: 3, memory: 64, json: false } })
  })

  it('can leave out what is slow', () => expect(trainingOptions(['--plain', '0', '--memory', '0', '--no-page'], models)).toMatchObject({ right: { plain: 0, memory: 0, page: false } }))

  it.each([
    [['--models', 'vit_tiny_31'], "There is no 'vit_tiny_31'; did you mean 'vit_tiny_32'?"],
    [['--plain', '-1'], 'It must be a whole number, 0 for none.'],
    [['--rounds', '0'], 'It must be a whole number from 1 on.'],
    [['--thread', '2'], "unknown option '--thread'"],
  ])('refuses %j and says why', (argv, sentence) => {
    const read = trainingOptions(argv, models)
    expect(read).toMatchObject({ _tag: 'Left', left: { code: 2, text: expect.stringContaining(sentence) } })
  })
})

describe('the section of bench:train', () => {
  const steps: Steps = {
    model: 'vit_tiny_32', batch: 16,
    ways: [
      { name: 'Vitrail', threads: 1, times: [1000, 800, 900], losses: [2.3, 2.2, 2.1, 2] },
      { name: 'Vitrail', threads: 2, times: [500, 450, 460], losses: [2.3, 2.2, 2.1, 2] },
      { name: 'PyTorch', threads: 2, times: [230, 240, 200], losses: [2.3, 2.2, 2.1001, 2] },
      { name: 'plain tfjs', threads: 1, times: [18000], losses: [2.3, 2.2] },
    ],
  }

  it('compares engines by medians, with as many threads, or with all of ours', () => {
    expect(stepRows(steps).map(row => row.join(' | '))).toEqual(['Vitrail, 1 thread | 900 | 800 | 1.00× | 3', 'Vitrail, 2 threads | 460 | 450 | 0.51× | 3', 'PyTorch, 2 threads | 230 | 200 | 0.50× | 3', 'plain tfjs, 1 thread | 18000 | 18000 | 20.00× and 39.13× | 1'])
  })

  it('tells how far losses are apart in the first three steps', () => {
    expect(lossesApart(steps)).toBeCloseTo(1e-4, 6)
    const wrong = { ...steps, ways: [...steps.ways, { name: 'wrong', threads: 1, times: [1], losses: [2.3, 2.5] }] }
    expect(lossesApart(wrong)).toBeCloseTo(0.3, 6)
    expect(lossesApart({ ...steps, ways: [...steps.ways, { name: 'broken', threads: 1, times: [1], losses: [Number.NaN] }] })).toBeNaN()
  })

  it('compares the steps that both have done, and says where there is nobody', () => {
    const [own, , , other] = steps.ways as readonly [Steps['ways'][number], unknown, unknown, Steps['ways'][number]]
    expect(lossesApart({ ...steps, ways: [{ ...own, losses: [2.3, 2.2] }, { ...other, losses: [2.3, 2.2, 2.1] }] })).toBe(0)
    expect(lossesApart({ ...steps, ways: [own, { ...other, losses: [] }] })).toBe(Infinity)
    expect(lossesSentence({ ...steps, ways: [own] })).toBe('Nobody else ran to compare losses with.')
    expect(lossesSentence(steps)).toBe('Losses of 3 steps at most 1e-4 apart.')
  })

  it('tells memory as a share of what lives', () => {
    const memory = [{ model: 'vit_tiny_32', batch: 64, resident: 900e6, heap: 704e6, reserved: 720e6, live: 700e6 }]
    const text = trainingSection({ runtime: 'Node 20, SIMD', about: [['machine', 'a test']], steps: [steps], memory })
    expect(text).toMatch(/^## Training step, Node 20, SIMD\n/)
    expect(text).toContain('| vit_tiny_32 | 64 | 900 MB | 704 MB | 700 MB | 1.006 |')
  })
})
