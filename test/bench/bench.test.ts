import { describe, expect, it } from 'vitest'
import { differenceOf } from './differenceOf.js'
import { peersOptions } from './options.js'
import { coldTable, disagreements, markdownTable, median, reasonOf, section, speedTable, summaryTable, withSection, type Results } from './page.js'

const known = { models: ['vit-ti', 'vit-b', 'swin-t'], engines: ['ours', 'theirs'] }
const declined = (...argv: string[]): { readonly code: number; readonly text: string } => {
  const read = peersOptions(argv, known)
  if (read._tag === 'Right') throw new Error(`'${argv.join(' ')}' was accepted`)
  return read.left
}
const accepted = (...argv: string[]): object => {
  const read = peersOptions(argv, known)
  if (read._tag === 'Left') throw new Error(read.left.text)
  return read.right
}

describe('the command line of bench:peers', () => {
  it('runs everything where nothing is said', () => {
    expect(accepted()).toEqual({ models: known.models, engines: known.engines, batches: [1, 8], threads: [1, 2], rounds: 10, seconds: 12, json: false, install: false })
  })

  it('takes lists, in the order in which things are known, each once', () => {
    expect(accepted('--models', 'swin-t,vit-ti', '--batches', '8,1,8', '--threads', '2', '--json', '--no-page')).toMatchObject({ models: ['vit-ti', 'swin-t'], batches: [1, 8], threads: [2], json: true, page: false })
  })

  it.each([
    [['--models', 'vit-t'], "There is no 'vit-t'; did you mean 'vit-ti'? There are: vit-ti, vit-b, swin-t."],
    [['--engines', 'ours,somebody'], "There is no 'somebody'. There are: ours, theirs."],
    [['--batches', '1,none'], 'It must be a whole number from 1 on.'],
    [['--rounds', '0'], 'It must be a whole number from 1 on.'],
    [['--round', '3'], "unknown option '--round'"],
    [['vit-ti'], 'too many arguments'],
  ])('refuses %j and says why', (argv, sentence) => {
    const { code, text } = declined(...argv)
    expect(code).toBe(2)
    expect(text).toContain('bench:peers: ')
    expect(text).toContain(sentence)
  })

  it('shows help without calling it a mistake', () => {
    expect(declined('--help')).toMatchObject({ code: 0, text: expect.stringContaining('--threads <numbers>') })
  })
})

/** Two engines; the second is slow with many images and has one thread. */
const results: Results = {
  runtime: 'Node 20, SIMD',
  about: [['machine', 'a test']],
  engines: [{ name: 'ours', about: 'Ours' }, { name: 'theirs', about: 'Theirs' }, { name: 'absent', about: 'Absent' }],
  summarised: ['theirs'],
  models: [
    {
      title: 'ViT', multiplyAdds: 1.25e9, weightBytes: 20e6,
      cells: [
        { name: 'ours', batch: 1, threads: 1, times: [90, 100, 1000], difference: 0 },
        { name: 'theirs', batch: 1, threads: 1, times: [150, 160, 140], difference: 2e-6 },
        { name: 'ours', batch: 8, threads: 1, times: [800, 800, 800], difference: 0 },
        { name: 'theirs', batch: 8, threads: 1, times: [12000], difference: 3e-6 },
        { name: 'ours', batch: 1, threads: 2, times: [50, 50, 50], difference: 0 },
        { name: 'ours', batch: 16, threads: 1, times: [1600, 1600, 1600], difference: 0 },
        { name: 'theirs', batch: 16, threads: 1, skipped: 90000 },
      ],
      cold: [{ name: 'ours', importMs: 100, loadMs: 50.4, firstMs: 9.94, totalMs: 160.3, peakBytes: 60e6 }],
    },
  ],
  missing: [{ about: 'Absent', why: 'not installed' }],
}
const [model] = results.models as [Results['models'][number]]

describe('the tables of bench:peers', () => {
  it('the middle of an even count is between two', () => {
    expect(median([4, 1, 100, 2])).toBe(3)
  })

  it('give medians, ratios to the first engine in the same column, what ran less often, and the worst difference', () => {
    expect(speedTable(model, results)).toEqual({
      head: ['ms · ratio', 'batch 1, 1 thread', 'batch 1, 2 threads', 'batch 8, 1 thread', 'batch 16, 1 thread', 'difference'],
      rows: [
        ['Ours', '100', '50', '800', '1,600', '–'],
        ['Theirs', '150 · 1.50×', '–', '12,000 · 15× (1 run)', 'over 45 s', '3e-6'],
      ],
    })
  })

  it('give first results and memory as a multiple of the weights', () => {
    expect(coldTable(model, results).rows).toEqual([['Ours', '100', '50', '9.9', '160', '60', '3.00×']])
  })

  it('sum up against engines with fewer threads as they are, and against one thread', () => {
    expect(summaryTable(results, [results.engines[1]!]).rows).toEqual([
      ['ViT, batch 1, 1 thread', '1.50×', '–'],
      ['ViT, batch 1, 2 threads', '3.00×', '2.00×'],
      ['ViT, batch 8, 1 thread', '15×', '–'],
      ['ViT, batch 16, 1 thread', '–', '–'],
    ])
  })
})

describe('outputs that are compared', () => {
  it('differ by a share of the largest number, and by infinity where there is nothing to compare', () => {
    expect(differenceOf([1, -4], [2, -4])).toBe(0.25)
    expect(differenceOf([0, 0], [0, 0])).toBe(0)
    for (const [values, from] of [[[1], [1, 2]], [[], []], [[Number.NaN], [1]], [[1], [Number.NaN]], [[Infinity], [Infinity]], [[1], [0]]] as const) expect(differenceOf(values, from)).toBe(Infinity)
  })

  it('are right in a table that is shown', () => expect(disagreements(model, 'ours')).toEqual([]))

  it('are wrong where an engine computes something else, or nothing that is known', () => {
    for (const difference of [1e-3, Number.NaN, Infinity, undefined]) {
      const { difference: _, ...cell } = model.cells[1]!
      const wrong = { ...model, cells: model.cells.with(1, difference === undefined ? cell : { ...cell, difference }) }
      expect(disagreements(wrong, 'ours')).toEqual([expect.stringMatching(/^ViT, batch 1: theirs differs by/)])
    }
  })

  it('are compared with nothing where the main engine did not run', () => {
    const without = { ...model, cells: model.cells.filter(c => c.name !== 'ours') }
    expect(disagreements(without, 'ours')).toEqual([1, 8].map(batch => `ViT, batch ${batch}, 1 thread: ours did not run, so that nobody was compared with it`))
    expect(disagreements(without, undefined)).toEqual([])
    expect(disagreements({ ...model, cells: [] }, undefined)).toEqual(['ViT: nobody ran'])
  })
})

describe('the page of bench:peers', () => {
  it('has a section with every table, and says who is missing', () => {
    const made = section(results)
    expect(made.split('\n').filter(line => /^#|^Did|^1\.25/.test(line))).toEqual(['## Node 20, SIMD', '### ViT', '1.25 G multiply-adds an image, 20 MB of weights.', 'Did not run: Absent (not installed).'])
    expect(made).toContain(markdownTable(speedTable(model, results)))
    expect(made).toContain('| machine | a test |')
  })

  it('is a table of as many columns in every line', () => {
    expect(markdownTable({ head: ['a', 'b'], rows: [['1', '2']] })).toBe('| a | b |\n| --- | --: |\n| 1 | 2 |')
  })

  it('names no folder of the machine', () => {
    const where = ['', 'somewhere', 'dist', 'native.js'].join('/')
    expect(reasonOf(`node: cannot be loaded (Cannot find package '@tensorflow/tfjs-node' imported from ${where})`)).toBe('@tensorflow/tfjs-node is not installed')
    expect(reasonOf(`no memory at ${where}:3\n    at file://${where}`)).toBe('no memory at native.js:3')
    expect(reasonOf('two engines and/or one')).toBe('two engines and/or one')
  })

  it('replaces the section of the same heading and leaves the others', () => {
    const page = '# Benchmarks\n\nWords.\n\n## Node 20, SIMD\n\nold\n\n### ViT\n\nold too\n\n## Training\n\nkept\n'
    expect(withSection(page, '## Node 20, SIMD\n\nnew')).toBe('# Benchmarks\n\nWords.\n\n## Node 20, SIMD\n\nnew\n\n## Training\n\nkept\n')
  })

  it('puts a new section at the end', () => {
    expect(withSection('# Benchmarks\n\nWords.\n', '## Node 22, SIMD\n\nnew')).toBe('# Benchmarks\n\nWords.\n\n## Node 22, SIMD\n\nnew\n')
  })
})
