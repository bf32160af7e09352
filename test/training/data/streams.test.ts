import { describe, expect, it } from 'vitest'
import type { BatchOptions, Batches } from '../../../src/training/data/batch.js'
import { batches } from '../../../src/training/data/batches.js'
import { fromAsyncIterable, type StreamOptions } from '../../../src/training/data/fromAsyncIterable.js'
import type { Item } from '../../../src/training/data/image.js'
import { problemOf, valueOf } from '../../support/either.js'
import { collect, namesOf, problemIn } from './collect.js'

const sample = (i: number): Item => ({ name: `${i}`, label: i % 2, image: { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(i % 256) } })

/** Endless; tells how far it was read and whether it was closed. */
const counting = (): { readonly open: (epoch: number) => AsyncGenerator<Item>; read: number; closed: number } => {
  const state = { read: 0, closed: 0, open }
  async function* open(epoch: number): AsyncGenerator<Item> {
    try {
      for (let i = 1000 * epoch; ; i++) {
        state.read++
        yield sample(i)
      }
    } finally {
      state.closed++
    }
  }
  return state
}
const classes = ['even', 'odd']
const of = (open: (epoch: number) => AsyncIterable<Item> | Iterable<Item>, stream: Partial<StreamOptions> = {}, options: Partial<BatchOptions> = {}): Batches =>
  valueOf(batches(valueOf(fromAsyncIterable(open, { classes, size: 22, shuffleBuffer: 6, ...stream })), { batchSize: 4, shape: [1, 1, 1], ...options }))
const upTo = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `${i}`)

describe('a stream of samples', () => {
  it('gives as many an epoch as stated, in its own order if not shuffled', async () => {
    const source = counting()
    const made = of(source.open, {}, { shuffle: false })
    expect([made.steps, made.size]).toEqual([6, 22])
    const epoch = await collect(made, 0)
    expect([namesOf(epoch), epoch.map(batch => batch.size)]).toEqual([upTo(22), [4, 4, 4, 4, 4, 2]])
    expect(epoch[1]).toMatchObject({ step: 1, labels: Int32Array.of(0, 1, 0, 1), images: Float32Array.of(4, 5, 6, 7).map(value => value / 255) })
    expect(namesOf(await collect(made, 1))[0]).toBe('1000')
    expect(source.closed).toBe(2)
  })

  it('is shuffled through a buffer, by seed and epoch: no sample comes earlier than the buffer allows', async () => {
    const first = namesOf(await collect(of(counting().open), 0))
    expect([...first].sort()).toEqual([...upTo(22)].sort())
    expect(first).not.toEqual(upTo(22))
    first.forEach((name, place) => expect(Number(name)).toBeLessThanOrEqual(place + 6))
    expect(namesOf(await collect(of(counting().open), 0))).toEqual(first)
    expect(namesOf(await collect(of(counting().open, {}, { seed: 1 }), 0))).not.toEqual(first)
    // With a buffer as large as the epoch, any sample may come first: so all do, once in a while.
    const firsts = await Promise.all(Array.from({ length: 40 }, async (_, seed) => namesOf(await collect(of(counting().open, { size: 4, shuffleBuffer: 4 }, { seed, batchSize: 1 }), 0))[0]!))
    expect(new Set(firsts).size).toBe(4)
  })

  it('goes on from a step without decoding what comes before', async () => {
    const whole = await collect(of(counting().open), 0)
    for (const from of [1, 3, 5, 6]) {
      let decoded = 0
      const transform: BatchOptions['transform'] = made => (decoded++, made)
      expect(await collect(of(counting().open, {}, { transform }), 0, { from })).toEqual(whole.slice(from))
      expect(decoded).toBe(Math.max(0, 22 - 4 * from))
    }
  })

  it('is read no further ahead than its buffer and the batches to come', async () => {
    const source = counting()
    const epoch = of(source.open, { size: 10_000 }, { prefetch: 2 }).epoch(0)[Symbol.asyncIterator]()
    await epoch.next()
    for (let i = 0; i < 100; i++) await new Promise(resolve => setImmediate(resolve))
    expect(source.read).toBe(3 * 4 + 6)
    await epoch.return!()
    await new Promise(resolve => setImmediate(resolve))
    expect(source.closed).toBe(1)
  })

  it('may be any iterable, of any length', async () => {
    expect(namesOf(await collect(of(() => upTo(3).map((_, i) => sample(i)), { size: 3 }, { shuffle: false }), 0))).toEqual(upTo(3))
  })

  it('leaves out corrupt samples, by name, and keeps its batches', async () => {
    const open = () => upTo(12).map((_, i): Item => (i === 5 || i === 6 ? { ...sample(i), image: { bytes: Uint8Array.of(1, 2, 3) } } : sample(i)))
    const made = of(open, { size: 12 }, { shuffle: false })
    for (const epoch of [0, 1]) expect((await collect(made, epoch)).map(batch => batch.names)).toEqual([['0', '1', '2', '3'], ['4', '7'], ['8', '9', '10', '11']])
    expect(made.skipped().map(({ name }) => name)).toEqual(['5', '6'])
    const none = of(() => open().slice(5, 7), { size: 2 }, { batchSize: 1 })
    expect(await problemIn(none)).toMatchObject({ code: 'allCorrupt', sentence: 'stream: not one of 2 samples can be read' })
  })
})

describe('a stream with a fault is told', () => {
  it('one that ends too early, after what it gave', async () => {
    const made = of(() => upTo(10).map((_, i) => sample(i)), {}, { shuffle: false })
    const told: string[] = []
    for await (const each of made.epoch(0)) told.push(each._tag === 'Right' ? `${each.right.size}` : each.left.sentence)
    expect(told).toEqual(['4', '4', 'stream: gives 10 samples in epoch 0, not the 22 it was said to'])
  })

  it('one that can be read but once, in its second epoch', async () => {
    const once = counting().open(0)
    const made = of(() => once)
    await collect(made, 0)
    expect((await problemIn(made, 1)).code).toBe('streamEnded')
  })

  it('one that throws', async () => {
    const open = function* (): Generator<Item> {
      yield sample(0)
      throw new Error('the tape is torn')
    }
    expect(await problemIn(of(open, {}, { batchSize: 1, shuffle: false }))).toMatchObject({ code: 'streamFailed', sentence: 'stream: fails in epoch 0, when 1 samples were taken: the tape is torn' })
  })

  it('one that cannot be as stated, or is to be split', () => {
    for (const options of [{ size: 0 }, { size: Infinity }, { shuffleBuffer: 0 }]) expect(problemOf(fromAsyncIterable(() => [], { classes, size: 1, ...options })).code).toBe('optionMalformed')
    const stream = valueOf(fromAsyncIterable(() => [], { classes, size: 9 }))
    expect(problemOf(batches(stream, { batchSize: 1, shape: [1, 1, 1], split: { validation: 0.5, part: 'train' } })).code).toBe('streamNotSplit')
  })
})
