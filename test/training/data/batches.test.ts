import { describe, expect, it } from 'vitest'
import type { BatchOptions, Batches } from '../../../src/training/data/batch.js'
import { batches } from '../../../src/training/data/batches.js'
import type { Dataset } from '../../../src/training/data/dataset.js'
import { stratifiedSplit } from '../../../src/training/data/stratifiedSplit.js'
import { problemOf, valueOf } from '../../support/either.js'
import { collect, namesOf, numbered, problemIn } from './collect.js'

const pixel = { shape: [1, 1, 1], batchSize: 4 } as const
const of = (dataset: Dataset, options: Partial<BatchOptions> = {}): Batches => valueOf(batches(dataset, { ...pixel, ...options }))

/** The same dataset, with a list of the samples that were asked for. */
const watched = (dataset: Dataset): Dataset & { readonly asked: number[] } => {
  const asked: number[] = []
  return { ...dataset, asked, item: index => (asked.push(index), dataset.item(index)) }
}

describe('an epoch', () => {
  it('holds every sample once, with its label and its name', async () => {
    const made = await collect(of(numbered(10, 3)), 0)
    expect(made.map(batch => [batch.step, batch.size])).toEqual([[0, 4], [1, 4], [2, 2]])
    expect([...namesOf(made)].sort()).toEqual(Array.from({ length: 10 }, (_, i) => `sample ${i}`))
    for (const { images, labels, names } of made) {
      names.forEach((name, i) => expect([images[i], labels[i]]).toEqual([Math.fround(Number(name.slice(7)) / 255), Number(name.slice(7)) % 3]))
    }
  })

  it('has an order of its own, which follows from the seed', async () => {
    const orders = await Promise.all([[1, 0], [1, 1], [2, 0], [1, 0]].map(async ([seed, epoch]) => namesOf(await collect(of(numbered(30), { seed: seed! }), epoch!)).join()))
    expect(new Set(orders).size).toBe(3)
    expect(orders[3]).toBe(orders[0])
  })

  it('is in the order of the set if not shuffled', async () => {
    expect(namesOf(await collect(of(numbered(5), { shuffle: false }), 3))).toEqual([0, 1, 2, 3, 4].map(i => `sample ${i}`))
  })

  it('leaves out what does not fill a batch when asked to', async () => {
    const made = of(numbered(10), { dropLast: true })
    expect([made.steps, made.size]).toEqual([2, 8])
    expect((await collect(made, 0)).map(batch => batch.size)).toEqual([4, 4])
  })

  it('goes on from a step with the very batches, and asks for no sample before it', async () => {
    const whole = await collect(of(numbered(23)), 4)
    for (const from of [1, 3, 5, 6]) {
      const set = watched(numbered(23))
      expect(await collect(of(set), 4, { from })).toEqual(whole.slice(from))
      expect(set.asked.length).toBe(Math.max(0, 23 - 4 * from))
    }
  })

  it('is made ahead by as many batches as allowed, and no more', async () => {
    for (const prefetch of [0, 1, 3]) {
      const set = watched(numbered(100))
      const epoch = of(set, { prefetch }).epoch(0)[Symbol.asyncIterator]()
      for (const taken of [1, 2]) {
        await epoch.next()
        // Time enough for anything that is still under way.
        for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve))
        expect(set.asked.length).toBe(4 * (taken + prefetch))
      }
      await epoch.return!()
    }
  })

  it('asks for nothing more once left, and can be begun again', async () => {
    const set = watched(numbered(100))
    const made = of(set)
    for await (const _ of made.epoch(0)) break
    expect(set.asked.length).toBe(12)
    expect((await collect(made, 0)).length).toBe(25)
  })
})

describe('a split', () => {
  it('gives each sample to one part, the same for every epoch and option', async () => {
    const [train, validation] = (['train', 'validation'] as const).map(part => of(numbered(40), { seed: 3, split: { validation: 0.25, part } }))
    const names = [namesOf(await collect(train!, 0)), namesOf(await collect(validation!, 0))]
    expect(names.map(each => each.length)).toEqual([30, 10])
    expect(new Set(names.flat()).size).toBe(40)
    expect([...namesOf(await collect(train!, 5))].sort()).toEqual([...names[0]!].sort())
    // Validation is not shuffled unless asked.
    expect(namesOf(await collect(validation!, 5))).toEqual(names[1])
    expect(namesOf(await collect(of(numbered(40), { seed: 4, split: { validation: 0.25, part: 'validation' } }), 0))).not.toEqual(names[1])
  })

  it('takes its share of every class, to one sample, and of the whole, and leaves none without a sample to train on', () => {
    for (const [share, counts] of [[0.1, [100, 50, 7, 3, 1, 40]], [0.5, [2, 2, 1, 1, 9]], [0.9, [1, 2, 3, 10]], [0.07, Array.from({ length: 30 }, () => 5)]] as const) {
      const labels = Int32Array.from(counts.flatMap((count, label) => Array.from({ length: count }, () => label)))
      const { train, validation } = stratifiedSplit(labels, share, 1)
      expect([...train, ...validation].sort((a, b) => a - b)).toEqual(Array.from(labels, (_, i) => i))
      counts.forEach((count, label) => {
        const taken = Array.from(validation).filter(i => labels[i] === label).length
        expect(taken).toBeLessThan(count)
        if (count > 3) expect(Math.abs(taken - share * count)).toBeLessThanOrEqual(1.5)
      })
      const most = labels.length - counts.length
      expect(Math.abs(validation.length - Math.min(share * labels.length, most))).toBeLessThan(0.501)
    }
  })
})

describe('what cannot be is refused', () => {
  const refused = (options: Partial<BatchOptions>, count = 10) => problemOf(batches(numbered(count), { ...pixel, ...options }))

  it.each([
    [{ batchSize: 0 }, 'batchSize must be a whole number from 1, not 0'],
    [{ batchSize: 2.5 }, 'batchSize must be a whole number from 1, not 2.5'],
    [{ shape: [8, 0, 3] }, 'shape must be a height, a width and channels, not 8×0×3'],
    [{ seed: -1 }, 'seed must be a whole number from 0, not -1'],
    [{ mean: [1, 2] }, 'mean must be one number, or 1, not 1 2'],
    [{ std: [0] }, 'std must be one positive number, or 1, not 0'],
    [{ crop: 1.5 }, 'crop must be more than 0 and at most 1, not 1.5'],
    [{ prefetch: -1 }, 'prefetch must be a whole number from 0, not -1'],
    [{ workers: NaN }, 'workers must be a whole number from 0, not NaN'],
    [{ split: { validation: 1, part: 'train' } }, 'split.validation must be more than 0 and less than 1, not 1'],
  ] as const)('%o', (options, said) => {
    expect(refused(options)).toMatchObject({ code: 'optionMalformed', sentence: `batches: ${said}` })
  })

  it('a batch larger than the set, but not where validation takes what there is', async () => {
    expect(refused({ batchSize: 11 })).toMatchObject({ code: 'batchTooLarge', sentence: 'sample: a batch of 11 is more than all 10 samples', remedy: 'batchSize: 10 or less' })
    expect(refused({ batchSize: 11, shuffle: false, dropLast: true }).code).toBe('batchTooLarge')
    expect((await collect(of(numbered(10), { batchSize: 64, shuffle: false }), 0)).map(batch => batch.size)).toEqual([10])
  })

  it('a split that leaves a part empty', () => {
    expect(refused({ split: { validation: 0.01, part: 'validation' } })).toMatchObject({ code: 'splitEmpty', sentence: 'sample: a validation share of 0.01 of 10 samples leaves nothing for validation' })
  })

  it('a function for a thread', () => {
    expect(refused({ transform: sample => sample, workers: 1 })).toMatchObject({ code: 'transformNotPortable', remedy: 'give it as { module, name }, or workers: 0' })
  })

  it('a beginning that is no step', async () => {
    expect(await problemIn(of(numbered(10)), 0, { from: -1 })).toMatchObject({ code: 'optionMalformed', sentence: 'batches: from must be a whole number from 0, not -1' })
  })

  it('a label that is no class, wherever it came from', async () => {
    const transform: BatchOptions['transform'] = sample => ({ ...sample, label: 2 })
    expect(await problemIn(of(numbered(10), { transform }))).toMatchObject({ code: 'labelUnknown', sentence: 'sample: label 2 is none of the 2 classes' })
  })

  it('channels that the model does not take, with the name of the sample', async () => {
    expect(await problemIn(of(numbered(10), { shape: [1, 1, 2], shuffle: false }))).toMatchObject({ code: 'channelsMisfit', path: 'sample 0' })
  })

  it('a source that throws, or that has a problem of its own', async () => {
    const throws: Dataset = { ...numbered(10), item: () => () => Promise.reject(new Error('the disk is gone')) }
    expect(await problemIn(of(throws, { shuffle: false }))).toMatchObject({ code: 'sampleFailed', sentence: 'sample 0 cannot be had: the disk is gone' })
    const fails: Dataset = { ...numbered(10), item: () => async () => ({ _tag: 'Left', left: { code: 'mine', sentence: 'no', path: '' } }) }
    expect((await problemIn(of(fails))).code).toBe('mine')
  })
})

describe('a transform', () => {
  it('draws by seed, epoch and sample, and by nothing else', async () => {
    const options = (batchSize: number, seed = 1): Partial<BatchOptions> => ({ batchSize, seed, transform: (sample, random) => ({ ...sample, pixels: Float32Array.of(random.uniform()) }) })
    const drawn = async (made: Batches, epoch: number): Promise<Readonly<Record<string, number>>> => Object.fromEntries((await collect(made, epoch)).flatMap(({ names, images }) => names.map((name, i) => [name, images[i]!])))
    const first = await drawn(of(numbered(20), options(4)), 0)
    expect(new Set(Object.values(first)).size).toBe(20)
    expect(await drawn(of(numbered(20), { ...options(7), shuffle: false }), 0)).toEqual(first)
    for (const other of [await drawn(of(numbered(20), options(4)), 1), await drawn(of(numbered(20), options(4, 2)), 0)]) {
      for (const [name, value] of Object.entries(first)) expect(other[name]).not.toBe(value)
    }
  })

  it('sees the sample before it is resized, and may change its size', async () => {
    const made = of(numbered(2), { shape: [2, 2, 1], shuffle: false, transform: ({ height, width, ...rest }) => ({ ...rest, height: 2 * height, width: 2 * width, pixels: Float32Array.of(height, width, 0, 0.5) }) })
    expect((await collect(made, 0))[0]!.images).toEqual(Float32Array.of(1, 1, 0, 0.5, 1, 1, 0, 0.5))
  })

  it('that throws, or gives no image, is told with the sample', async () => {
    const first = { shuffle: false } as const
    expect(await problemIn(of(numbered(4), { ...first, transform: () => { throw new Error('no idea') } }))).toMatchObject({ code: 'transformFailed', sentence: 'the transform throws: no idea', path: 'sample 0' })
    expect(await problemIn(of(numbered(4), { ...first, transform: sample => ({ ...sample, width: 3 }) }))).toMatchObject({ code: 'transformFailed', sentence: 'the transform gives 1 values as an image of 1×3×1' })
  })
})
