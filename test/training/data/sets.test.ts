import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { cifar10 } from '../../../src/training/data/cifar10.js'
import { cifar100 } from '../../../src/training/data/cifar100.js'
import type { Dataset } from '../../../src/training/data/dataset.js'
import { fromArrays } from '../../../src/training/data/fromArrays.js'
import { idx } from '../../../src/training/data/idx.js'
import type { Image } from '../../../src/training/data/image.js'
import { problemOf, valueOf } from '../../support/either.js'

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/data/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vitrail-sets-'))
const at = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes)
  return join(folder, name)
}

const imageOf = async (dataset: Dataset, index: number): Promise<Image> => valueOf(await dataset.item(index)()).image as Image

/** What make.py wrote as pixel (y, x, c) of image n. */
const written = (n: number, height: number, width: number, channels: number): readonly number[] =>
  Array.from({ length: height * width * channels }, (_, i) => (31 * n + 7 * Math.floor(i / (width * channels)) + 13 * (Math.floor(i / channels) % width) + 101 * (i % channels)) % 256)

describe('a set of the MNIST family', () => {
  it.each(['images.idx', 'images.idx.gz'])('%s is what numpy wrote', async file => {
    const set = valueOf(await idx({ images: fixture(file), labels: fixture('labels.idx'), classes: ['a', 'b', 'c'] })())
    expect([set.size, set.classes, Array.from(set.labels)]).toEqual([5, ['a', 'b', 'c'], [2, 0, 1, 0, 2]])
    for (let n = 0; n < 5; n++) {
      const image = await imageOf(set, n)
      expect([image.height, image.width, image.channels, ...image.pixels]).toEqual([3, 4, 1, ...written(n, 3, 4, 1)])
    }
  })

  it('numbers its classes where none are named', async () => {
    expect(valueOf(await idx({ images: fixture('images.idx'), labels: fixture('labels.idx') })()).classes).toEqual(['0', '1', '2'])
  })

  const images = readFileSync(fixture('images.idx'))
  const labels = readFileSync(fixture('labels.idx'))
  const changed = (bytes: Uint8Array, place: number, value: number): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === place ? value : byte))

  it.each([
    ['images that are not there', 'fileUnreadable', () => [join(folder, 'none'), at('labels', labels)]],
    ['truncated images', 'idxTruncated', () => [at('short', images.subarray(0, 40)), at('labels', labels)]],
    ['images cut within the header', 'idxTruncated', () => [at('header', images.subarray(0, 9)), at('labels', labels)]],
    ['three bytes', 'idxTruncated', () => [at('three', images.subarray(0, 3)), at('labels', labels)]],
    ['more bytes than the header says', 'idxMalformed', () => [at('long', Buffer.concat([images, Buffer.of(0)])), at('labels', labels)]],
    ['another magic number', 'idxMalformed', () => [at('magic', changed(images, 0, 80)), at('labels', labels)]],
    ['numbers of another type', 'idxMalformed', () => [at('type', changed(images, 2, 13)), at('labels', labels)]],
    ['labels for images', 'idxMalformed', () => [at('labels', labels), at('labels', labels)]],
    ['images for labels', 'idxMalformed', () => [at('images', images), at('images', images)]],
    ['a truncated gz', 'gzipBroken', () => [at('short.gz', gzipSync(images).subarray(0, 50)), at('labels', labels)]],
    ['a gz with a wrong byte', 'gzipBroken', () => [at('wrong.gz', changed(gzipSync(images), 20, 255)), at('labels', labels)]],
    ['fewer labels than images', 'labelsMisfit', () => [at('images', images), at('few', changed(labels.subarray(0, 12), 7, 4))]],
  ] as const)('%s are a problem: %s', async (_, code, files) => {
    const [images, labels] = files()
    expect(problemOf(await idx({ images: images!, labels: labels! })()).code).toBe(code)
  })

  it('a label that is no class is a problem', async () => {
    const problem = problemOf(await idx({ images: fixture('images.idx'), labels: fixture('labels.idx'), classes: ['a', 'b'] })())
    expect(problem).toMatchObject({ code: 'labelUnknown', sentence: expect.stringMatching(/sample 0 has the label 2, which is none of 2 classes$/) as string })
  })
})

describe('CIFAR', () => {
  it('10 is what numpy wrote, its channels last', async () => {
    const train = valueOf(await cifar10(fixture('cifar10'))())
    expect([train.size, train.classes[9], Array.from(train.labels)]).toEqual([5, 'truck', [0, 1, 2, 3, 4]])
    const test = valueOf(await cifar10(fixture('cifar10'), { part: 'test' })())
    expect(Array.from(test.labels)).toEqual([9, 3])
    expect(Array.from((await imageOf(test, 1)).pixels)).toEqual(written(1, 32, 32, 3))
    expect(valueOf(await test.item(1)())).toMatchObject({ name: 'test_batch.bin 1', label: 3 })
  })

  it('100 has fine and coarse labels, numbered where no names are there', async () => {
    const fine = valueOf(await cifar100(fixture('cifar100'))())
    expect([fine.classes.length, fine.classes[99], Array.from(fine.labels)]).toEqual([100, '99', [99, 0]])
    const coarse = valueOf(await cifar100(fixture('cifar100'), { labels: 'coarse' })())
    expect([coarse.classes.length, Array.from(coarse.labels)]).toEqual([20, [19, 4]])
    expect(Array.from((await imageOf(fine, 1)).pixels)).toEqual(written(1, 32, 32, 3))
  })

  it('of a wrong length, of the other kind or incomplete is a problem', async () => {
    const test = readFileSync(fixture('cifar10/test_batch.bin'))
    const broken = (name: string, bytes: Uint8Array): string => {
      mkdirSync(join(folder, name))
      at(`${name}/test_batch.bin`, bytes)
      return join(folder, name)
    }
    expect(problemOf(await cifar10(broken('cut', test.subarray(1)), { part: 'test' })())).toMatchObject({ code: 'cifarLength', sentence: expect.stringContaining('6145 bytes are not records of 3073') as string })
    expect(problemOf(await cifar10(broken('nothing', new Uint8Array(0)), { part: 'test' })()).code).toBe('cifarLength')
    expect(problemOf(await cifar10(broken('other', Uint8Array.from(test, (byte, i) => (i === 3073 ? 10 : byte))), { part: 'test' })()).code).toBe('labelUnknown')
    expect(problemOf(await cifar10(folder)()).code).toBe('fileUnreadable')
  })
})

describe('arrays', () => {
  const good = { images: Float32Array.of(0, 0.5, 1, 0.25), labels: [1, 0], shape: [1, 2, 1] as const }

  it('are a dataset', async () => {
    const set = valueOf(fromArrays(good))
    expect(await imageOf(set, 1)).toEqual({ height: 1, width: 2, channels: 1, pixels: Float32Array.of(1, 0.25) })
  })

  it.each([
    ['labelsMisfit', { ...good, labels: [1, 0, 1] }],
    ['lengthMismatch', { ...good, images: new Float32Array(3) }],
    ['noSamples', { ...good, images: new Float32Array(0), labels: [] }],
    ['optionMalformed', { ...good, shape: [0, 2, 1] as const }],
    ['labelUnknown', { ...good, labels: [1, -1] }],
    ['labelUnknown', { ...good, labels: [1, 0.5] }],
    ['labelUnknown', { ...good, classes: ['only'] }],
  ])('that do not fit are a problem: %s', (code, options) => {
    expect(problemOf(fromArrays(options)).code).toBe(code)
  })
})
