import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import workerThreads from 'node:worker_threads'
import sharp from 'sharp'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BatchOptions, Batches } from '../../../src/training/data/batch.js'
import { batches } from '../../../src/training/data/batches.js'
import type { Dataset } from '../../../src/training/data/dataset.js'
import { imageFolder } from '../../../src/training/data/imageFolder.js'
import { BatchReader } from '../../../src/training/loop/batchReader.js'
import { valueOf } from '../../support/either.js'
import { collect, numbered, problemIn } from './collect.js'

/** Threads that were started, and ended. */
const threads = { started: 0, ended: 0 }
process.on('worker', worker => {
  threads.started++
  worker.once('exit', () => threads.ended++)
})

const root = mkdtempSync(join(tmpdir(), 'vitrail-workers-'))
let folder: Dataset
beforeAll(async () => {
  for (const [label, name] of ['cats', 'dogs'].entries()) {
    mkdirSync(join(root, name))
    for (let i = 0; i < 12; i++) {
      const pixels = Uint8Array.from({ length: 20 * (10 + i) * 3 }, (_, p) => (p * p * (i + 3) + 91 * label) % 256)
      await sharp(pixels, { raw: { width: 20, height: 10 + i, channels: 3 } }).jpeg().toFile(join(root, name, `${i}.jpg`))
    }
  }
  writeFileSync(join(root, 'dogs/5.jpg'), 'a text')
  folder = valueOf(await imageFolder(root)())
})
beforeEach(() => {
  threads.started = 0
  threads.ended = 0
})

const of = (workers: number, options: Partial<BatchOptions> = {}, dataset = folder): Batches => valueOf(batches(dataset, { batchSize: 5, shape: [8, 8, 3], seed: 2, mean: [0.4, 0.5, 0.6], std: [0.2], crop: 0.9, workers, ...options }))
const shade = { module: new URL('../../fixtures/data/shade.mjs', import.meta.url), name: 'shade', options: { green: 0.5 } }

describe('decoding in threads', () => {
  it('makes the same batches as without, with one thread or with several', async () => {
    const alone = of(0)
    const expected = [await collect(alone, 0), await collect(alone, 1)]
    expect([threads.started, alone.skipped().map(({ name }) => name)]).toEqual([0, ['dogs/5.jpg']])
    for (const workers of [1, 3]) {
      const made = of(workers)
      expect([await collect(made, 0), await collect(made, 1)]).toEqual(expected)
      expect(made.skipped()).toEqual(alone.skipped())
      await made.close()
    }
    expect([threads.started, threads.ended]).toEqual([4, 4])
  })

  it('keeps its threads from epoch to epoch, and starts new ones after it was closed', async () => {
    const made = of(1)
    for (const epoch of [0, 1, 2]) await collect(made, epoch)
    expect([threads.started, threads.ended]).toEqual([1, 0])
    await made.close()
    await collect(made, 3)
    await made.close()
    expect([threads.started, threads.ended]).toEqual([2, 2])
  })

  it('keeps them also where an epoch is told to end before its last step', async () => {
    const made = of(1)
    const whole = await collect(made, 1)
    expect(await collect(made, 1, { from: 1, to: 3 })).toEqual(whole.slice(1, 3))
    expect([threads.started, threads.ended]).toEqual([1, 0])
    expect((await problemIn(made, 0, { to: -1 })).sentence).toBe('batches: to must be a whole number from 0, not -1')
    // An update gathers two batches of five: the fifth is left over.
    const reader = new BatchReader(made, { accumulate: 2, stepsPerEpoch: 2 }, 0)
    const steps: number[][] = []
    for (let i = 0; i < 5; i++) steps.push(valueOf(await reader.next()).map(({ step }) => step))
    expect(steps).toEqual([[0, 1], [2, 3], [0, 1], [2, 3], [0, 1]])
    expect([threads.started, threads.ended]).toEqual([1, 0])
    await reader.close()
    await made.close()
  })

  it('ends its threads when the loop is left early', async () => {
    const made = of(2)
    for await (const _ of made.epoch(0)) break
    expect([threads.started, threads.ended]).toEqual([2, 2])
  })

  it('lets a process that closes them while they work end as it should', async () => {
    const source = `(async () => {
      const load = require('jiti').createJiti(${JSON.stringify(import.meta.url)})
      const { workerLane } = await load.import('../../../src/training/data/workerLane.ts')
      const image = { height: 3, width: 3, channels: 3, pixels: new Uint8Array(27) }
      // Whether the sample is done before the end of its thread is known, is a matter of luck.
      for (let i = 0; i < 4; i++) {
        const lane = await workerLane({ shape: [8, 8, 3], seed: 1 })
        const running = lane.run({ item: { label: 0, name: 'a', image }, epoch: 0, index: 0 })
        await lane.close()
        await running
      }
      console.log('ended')
    })()`
    // A process that has nothing left to do ends, whatever is still awaited in it, and would say nothing.
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', source])
    expect(stdout).toBe('ended\n')
  })

  it('stops when told to, and says so', async () => {
    const made = of(2)
    const stop = new AbortController()
    const told: string[] = []
    for await (const each of made.epoch(0, { signal: stop.signal })) {
      told.push(each._tag === 'Right' ? `${each.right.step}` : `${each.left.code}: ${each.left.sentence}`)
      stop.abort()
    }
    expect(told).toEqual(['0', `aborted: ${root}: epoch 0 was stopped before step 1`])
    expect([threads.started, threads.ended]).toEqual([2, 2])
    expect((await problemIn(made, 1, { signal: AbortSignal.abort() })).code).toBe('aborted')
  })

  it('stops at once, even while a source keeps it waiting', async () => {
    const stop = new AbortController()
    const never: Dataset = { ...folder, item: () => () => new Promise(() => setImmediate(() => stop.abort())) }
    expect((await problemIn(of(1, {}, never), 0, { signal: stop.signal })).code).toBe('aborted')
  })

  it('goes on for one loop when another is left', async () => {
    const made = of(1)
    const whole = await collect(made, 0)
    const slow = made.epoch(0)[Symbol.asyncIterator]()
    await slow.next()
    for await (const _ of made.epoch(1)) break
    expect(await slow.next()).toEqual({ done: false, value: { _tag: 'Right', right: whole[1] } })
    await slow.return!()
    expect([threads.started, threads.ended]).toEqual([1, 1])
  })

  it('tells of a thread that ended by itself, and starts another for the next epoch', async () => {
    const made = of(1, { transform: { ...shade, name: 'leave' } })
    for (const epoch of [0, 1]) expect(await problemIn(made, epoch)).toMatchObject({ code: 'workerStopped', sentence: 'a thread that decodes images stopped: it has ended' })
    expect([threads.started, threads.ended]).toEqual([2, 2])
  })

  it('leaves images that are ready in memory where they are', async () => {
    expect((await collect(of(2, { shape: [1, 1, 1], mean: [0], std: [1] }, numbered(20)), 0)).length).toBe(4)
    expect(threads.started).toBe(0)
    // But others are handed over one by one, not with the whole set.
    const made = of(1, { mean: [0], std: [1], shuffle: false }, numbered(20))
    const enlarged = await collect(made, 0)
    expect([threads.started, enlarged[3]!.images[192 * 2]]).toEqual([1, Math.fround(17 / 255)])
    expect(valueOf(await numbered(20).item(17)()).name).toBe(enlarged[3]!.names[2])
    await made.close()
  })
})

it('the built package decodes in threads as its sources do', async () => {
  const built = (await import(/* @vite-ignore */ new URL('../../../dist/bundle/training.js', import.meta.url).href)) as { readonly batches: typeof batches }
  const made = valueOf(built.batches(folder, { batchSize: 5, shape: [8, 8, 3], seed: 2, workers: 1 }))
  expect(await collect(made, 0)).toEqual(await collect(of(0, { mean: [0], std: [1], crop: 1 }), 0))
  await made.close()
  expect([threads.started, threads.ended]).toEqual([1, 1])
})

it('where no thread may start, the calling one decodes, to the same bytes', async () => {
  const { Worker } = workerThreads
  const set = (made: unknown): void => {
    Object.assign(workerThreads, { Worker: made })
    syncBuiltinESMExports()
  }
  set(class {
    constructor() {
      throw new Error('access to this API has been restricted')
    }
  })
  try {
    const made = of(2)
    expect(await collect(made, 0)).toEqual(await collect(of(0), 0))
    await made.close()
    expect(threads.started).toBe(0)
  } finally {
    set(Worker)
  }
})

describe('a transform out of a module', () => {
  it('runs in the thread that decodes, with the draws it has without', async () => {
    const made = of(2, { transform: shade, shape: [1, 1, 3], mean: [0], std: [1] })
    const there = await collect(made, 0)
    await made.close()
    const here = await collect(of(0, { transform: shade, shape: [1, 1, 3], mean: [0], std: [1] }), 0)
    const column = (epoch: typeof here, channel: number): readonly number[] => epoch.flatMap(({ images }) => Array.from(images).filter((_, i) => i % 3 === channel))
    expect([column(there, 0), column(there, 1)]).toEqual([column(here, 0), column(here, 1)])
    expect([new Set(column(there, 2)), new Set(column(here, 2))]).toEqual([new Set([1]), new Set([0])])
    expect(new Set(column(here, 0)).size).toBeGreaterThan(20)
  })

  it('is found by an absolute path, whatever characters are in it', async () => {
    const place = join(mkdtempSync(join(tmpdir(), 'a #%41 ü ')), 'own.mjs')
    writeFileSync(place, 'export const same = () => sample => sample')
    const made = of(1, { transform: { module: place, name: 'same' } })
    expect(await collect(made, 0)).toEqual(await collect(of(0), 0))
    await made.close()
  })

  it.each([
    [{ ...shade, name: 'none' }, /exports no function called none$/],
    [{ ...shade, name: 'notATransform' }, /exports no function called notATransform$/],
    [{ ...shade, name: 'broken' }, /broken gives no transform/],
    [{ ...shade, module: new URL('none.mjs', shade.module) }, /none\.mjs: does not load: /],
  ])('that cannot be had is told: %o', async (transform, sentence) => {
    const made = of(1, { transform })
    const problem = await problemIn(made)
    expect([problem.code, problem.sentence]).toEqual(['transformMissing', expect.stringMatching(sentence)])
    expect(threads.ended).toBe(1)
  })
})
