import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Batch, BatchOptions, Batches } from '../../../src/training/data/batch.js'
import { batches } from '../../../src/training/data/batches.js'
import type { Dataset } from '../../../src/training/data/dataset.js'
import { imageFolder } from '../../../src/training/data/imageFolder.js'
import { valueOf } from '../../support/either.js'
import { collect, namesOf, problemIn } from './collect.js'

const root = mkdtempSync(join(tmpdir(), 'vitrail-corrupt-'))
/** How each of these files is bad; every other file is good. */
const bad: Readonly<Record<string, (good: Uint8Array) => Uint8Array>> = {
  'cats/03.png': () => new TextEncoder().encode('a text, called a picture'),
  'cats/11.png': () => new Uint8Array(0),
  'dogs/00.png': good => good.subarray(0, good.length - 20),
}
const folderOf = (kind: string): string => join(root, kind)

beforeAll(async () => {
  for (const kind of ['good', 'some', 'all']) {
    for (const [label, name] of ['cats', 'dogs'].entries()) {
      mkdirSync(join(folderOf(kind), name), { recursive: true })
      for (let i = 0; i < 16; i++) {
        // Mixed sizes and channels; each picture is of one grey, so that it can be told from the others after resizing.
        const [width, height] = [5 + i, 24 - i]
        const image = sharp({ create: { width, height, channels: i % 3 === 0 ? 4 : 3, background: { r: 7 * i, g: 7 * i, b: 7 * i + label, alpha: 1 } } })
        const file = `${name}/${String(i).padStart(2, '0')}.png`
        const good = await image.png().toBuffer()
        writeFileSync(join(folderOf(kind), file), kind === 'all' ? 'nothing' : kind === 'some' ? (bad[file] ?? (bytes => bytes))(good) : good)
      }
    }
  }
})

const open = async (kind: string, options: Partial<BatchOptions> = {}): Promise<{ readonly made: Batches; readonly asked: number[] }> => {
  const folder = valueOf(await imageFolder(folderOf(kind))())
  const asked: number[] = []
  const watched: Dataset = { ...folder, item: index => (asked.push(index), folder.item(index)) }
  return { made: valueOf(batches(watched, { batchSize: 5, shape: [8, 8, 3], workers: 0, ...options })), asked }
}

/** What each place of an epoch holds. */
const places = (made: readonly Batch[]): readonly string[] => namesOf(made)

describe('corrupt files among good ones', () => {
  it('are named with the reason, each once, in whatever epoch they are met', async () => {
    const { made } = await open('some')
    for (const epoch of [0, 1]) await collect(made, epoch)
    expect(made.skipped()).toEqual([
      { name: 'cats/03.png', reason: expect.stringMatching(/^cannot be read as an image: .*unsupported image format/) as string },
      { name: 'cats/11.png', reason: 'the file is empty' },
      { name: 'dogs/00.png', reason: expect.stringMatching(/^cannot be read as an image: [a-z]/) as string },
    ])
  })

  it('give their places to others, and no other sample moves', async () => {
    const good = places(await collect((await open('good')).made, 2))
    const some = places(await collect((await open('some')).made, 2))
    expect(some.length).toBe(32)
    some.forEach((name, i) => {
      if (good[i]! in bad) expect(name in bad).toBe(false)
      else expect(name).toBe(good[i])
    })
    expect(some).not.toEqual(good)
  })

  it('give them to the same ones, whether they were known to be corrupt or not, and from wherever the epoch goes on', async () => {
    const whole = await collect((await open('some')).made, 1)
    const { made } = await open('some')
    await collect(made, 0)
    expect(await collect(made, 1)).toEqual(whole)
    for (const from of [1, 4, 6]) expect(await collect((await open('some')).made, 1, { from })).toEqual(whole.slice(from))
  })

  it('are tried once', async () => {
    const { made, asked } = await open('some')
    await collect(made, 0)
    const tried = asked.length
    await collect(made, 1)
    // 32 places, and three that were tried in vain, but in the first epoch only.
    expect([tried - 32 >= 3, asked.length - tried]).toEqual([true, 32])
  })

  it('leave their places empty in validation, where no sample may count twice', async () => {
    const { made } = await open('some', { shuffle: false })
    const all = await collect(made, 0)
    expect(all.map(batch => batch.size)).toEqual([4, 5, 4, 4, 5, 5, 2])
    expect(new Set(namesOf(all)).size).toBe(29)
    expect(made.steps).toBe(7)
    for (const { size, images, labels } of all) expect([labels.length, images.length]).toEqual([size, size * 8 * 8 * 3])
  })

  it('leave out a batch that would be empty, whose number then lacks', async () => {
    const { made } = await open('some', { shuffle: false, batchSize: 1 })
    const steps = (await collect(made, 0)).map(batch => batch.step)
    expect([made.steps, steps.length, steps.includes(3), steps.includes(11), steps.includes(16)]).toEqual([32, 29, false, false, false])
  })

  it('are an error if there is nothing else', async () => {
    for (const shuffle of [true, false]) {
      const { made, asked } = await open('all', { shuffle })
      expect(await problemIn(made)).toMatchObject({ code: 'allCorrupt', sentence: expect.stringMatching(/not one of 32 samples can be read$/) as string, path: 'cats/00.png' })
      expect(made.skipped().length).toBe(32)
      expect(asked.length).toBeLessThan(100)
    }
  })

  it('may also be ones that cannot be opened', async () => {
    const { made } = await open('good', { shuffle: false })
    const [gone, forbidden] = ['cats/05.png', 'dogs/05.png'].map(name => join(folderOf('good'), name))
    const bytes = await sharp(gone!).png().toBuffer()
    rmSync(gone!)
    chmodSync(forbidden!, 0)
    const isRoot = process.geteuid?.() === 0
    try {
      // To the administrator nothing is forbidden.
      if (isRoot) for (const folder of [root, folderOf('good')]) chmodSync(folder, 0o755)
      if (isRoot) process.seteuid!(65534)
      await collect(made, 0)
    } finally {
      if (isRoot) process.seteuid!(0)
      chmodSync(forbidden!, 0o644)
      writeFileSync(gone!, bytes)
    }
    expect(made.skipped()).toEqual([{ name: 'cats/05.png', reason: 'cannot be read: no such file or folder' }, { name: 'dogs/05.png', reason: 'cannot be read: permission denied' }])
  })
})

describe('images of mixed sizes and channels', () => {
  it('all become what the model takes', async () => {
    const { made } = await open('good', { shuffle: false, batchSize: 16 })
    const [cats, dogs] = await collect(made, 0)
    for (const { images, label, names } of [{ ...cats!, label: 0 }, { ...dogs!, label: 1 }]) {
      names.forEach((_, i) => {
        const image = images.subarray(i * 192, (i + 1) * 192)
        for (let p = 0; p < 192; p++) expect(image[p]).toBeCloseTo((7 * i + (p % 3 === 2 ? label : 0)) / 255, 6)
      })
    }
  })
})
