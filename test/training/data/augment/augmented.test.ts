import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { augmentations } from '../../../../src/training/index.js'
import type { WrittenAugmentation } from '../../../../src/training/data/augment/augmentation.js'
import { augmentationsOf } from '../../../../src/training/data/augment/augmentationsOf.js'
import { augmenter } from '../../../../src/training/data/augment/augmenter.js'
import { randAugment } from '../../../../src/training/data/augment/steps/randAugment.js'
import type { Batch, Batches, BatchOptions } from '../../../../src/training/data/batch.js'
import { batches } from '../../../../src/training/data/batches.js'
import type { Dataset } from '../../../../src/training/data/dataset.js'
import { fitImage } from '../../../../src/training/data/fitImage.js'
import { fromArrays } from '../../../../src/training/data/fromArrays.js'
import { fromAsyncIterable } from '../../../../src/training/data/fromAsyncIterable.js'
import { imageFolder } from '../../../../src/training/data/imageFolder.js'
import { random } from '../../../../src/training/random.js'
import { problemOf, valueOf } from '../../../support/either.js'
import { collect } from '../collect.js'

const root = mkdtempSync(join(tmpdir(), 'vitrail-augment-'))
let folder: Dataset
beforeAll(async () => {
  for (const [label, name] of ['cats', 'dogs'].entries()) {
    mkdirSync(join(root, name))
    for (let i = 0; i < 9; i++) {
      const pixels = Uint8Array.from({ length: 30 * (20 + i) * 3 }, (_, p) => (p * p * (i + 3) + 91 * label) % 256)
      await sharp(pixels, { raw: { width: 30, height: 20 + i, channels: 3 } }).jpeg().toFile(join(root, name, `${i}.jpg`))
    }
  }
  writeFileSync(join(root, 'dogs/5.jpg'), 'a text')
  folder = valueOf(await imageFolder(root)())
})

/** Every kind of step, some made in code. */
const everything: readonly WrittenAugmentation[] = ['randomResizedCrop', 'horizontalFlip', randAugment({ magnitude: 7 }), 'original-mstd0.5', 'trivialAugment', { name: 'randomApply', config: { of: ['threeAugment', { name: 'colorJitter', config: { hue: 0.1 } }] } }, { name: 'randomErasing', config: { probability: 0.5 } }]
const of = (options: Partial<BatchOptions> = {}, dataset = folder): Batches => valueOf(batches(dataset, { batchSize: 4, shape: [16, 16, 3], seed: 2, mean: [0.4, 0.5, 0.6], std: [0.2], workers: 0, augment: everything, ...options }))
const valuesOf = (made: readonly Batch[]): readonly (readonly number[])[] => made.flatMap(({ images, size }) => Array.from({ length: size }, (_, i) => [...images.subarray((i * images.length) / size, ((i + 1) * images.length) / size)]))

describe('augmented batches', () => {
  it('are the same with any number of threads', async () => {
    const alone = of()
    const expected = [await collect(alone, 0), await collect(alone, 3)]
    for (const workers of [1, 3]) {
      const made = of({ workers })
      expect([await collect(made, 0), await collect(made, 3)]).toEqual(expected)
      await made.close()
    }
    expect(valuesOf(expected[0]!)).not.toEqual(valuesOf(await collect(of({ augment: [] }), 0)))
  })

  it('go on from any step with the very pixels, and are others in another epoch or for another seed', async () => {
    const whole = await collect(of(), 1)
    for (const from of [1, 3]) expect(await collect(of(), 1, { from })).toEqual(whole.slice(from))
    const pixels = async (options: Partial<BatchOptions>, epoch: number): Promise<string> => JSON.stringify(valuesOf(await collect(of({ shuffle: false, ...options }), epoch)))
    expect(new Set([await pixels({}, 0), await pixels({}, 1), await pixels({ seed: 3 }, 0), await pixels({}, 0)]).size).toBe(3)
  })

  it('show each sample several times, each time otherwise, where it is repeated', async () => {
    const repeated = of({ augment: [...everything, { name: 'repeated', config: { times: 3 } }], dropLast: true })
    expect([repeated.size, repeated.steps]).toEqual([16, 4])
    const plain = await collect(of({ dropLast: true }), 0)
    const made = await collect(repeated, 0)
    const names = made.flatMap(batch => batch.names)
    // The first samples of the order that the epoch has without.
    const order = plain.flatMap(batch => batch.names)
    expect(names).toEqual(Array.from({ length: 16 }, (_, i) => order[Math.floor(i / 3)]))
    const values = valuesOf(made)
    expect(new Set(values.map(each => each.join())).size).toBe(16)
    expect(values[0]).toEqual(valuesOf(plain)[0])
    expect(await collect(repeated, 0, { from: 2 })).toEqual(made.slice(2))
  })

  it('cannot repeat the samples of a stream, nor change images that are neither grey nor coloured', () => {
    const stream = valueOf(fromAsyncIterable(() => [], { size: 4, classes: ['a'] }))
    expect(problemOf(batches(stream, { batchSize: 2, shape: [8, 8, 3], augment: ['repeated'] }))).toMatchObject({ code: 'streamNotRepeated' })
    const five = valueOf(fromArrays({ images: new Uint8Array(2 * 4 * 4 * 5), labels: [0, 1], shape: [4, 4, 5] }))
    expect(problemOf(batches(five, { batchSize: 2, shape: [4, 4, 5], augment: ['horizontalFlip'] })).sentence).toBe("augment: images of 5 channels are neither grey nor coloured, so 'horizontalFlip' cannot change them")
    expect(batches(five, { batchSize: 2, shape: [4, 4, 5], augment: ['randomErasing'] })._tag).toBe('Right')
  })
})

describe('an augmenter', () => {
  const image = { height: 20, width: 31, channels: 3, pixels: Uint8Array.from({ length: 1860 }, (_, i) => (i * 37) % 256) }
  const make = (steps: readonly WrittenAugmentation[], shape: readonly [number, number, number]) => augmenter(valueOf(augmentationsOf(steps)), { shape, mean: [0.5], std: [0.5] })
  const stream = (name = 'a') => random(1, name, 0)

  it('without steps does what is done for validation', () => {
    const options = { shape: [8, 9, 3] as const, mean: [0.1, 0.2, 0.3], std: [0.5], crop: 0.8 }
    expect(augmenter(valueOf(augmentationsOf([])), options).values(image, stream())).toEqual(fitImage(image, options))
  })

  it('gives pictures the usual size and place where no step does', () => {
    const plain = valueOf(fitImage(image, { shape: [8, 9, 3], mean: [0.5], std: [0.5] }))
    const flipped = valueOf(make([{ name: 'horizontalFlip', config: { probability: 1 } }], [8, 9, 3]).values(image, stream()))
    // Rounded to bytes, and mirrored.
    const mirrored = Array.from({ length: 8 * 9 * 3 }, (_, i) => plain[Math.floor(i / 27) * 27 + (8 - Math.floor((i % 27) / 3)) * 3 + (i % 3)]!)
    expect(Math.max(...mirrored.map((value, i) => Math.abs(value - flipped[i]!)))).toBeLessThan(1.01 / 255)
  })

  it('works on grey and coloured images for models of either', () => {
    const grey = { height: 20, width: 31, channels: 1, pixels: image.pixels.subarray(0, 620) }
    const steps: readonly WrittenAugmentation[] = [{ name: 'colorJitter', config: { hue: 0.5 } }, 'threeAugment', 'rand-m9-p1', 'trivialAugment', { name: 'randomErasing', config: { probability: 1 } }]
    for (const channels of [1, 3]) {
      for (const given of [grey, image]) for (let i = 0; i < 40; i++) expect(valueOf(make(['randomResizedCrop', ...steps], [8, 9, channels]).values(given, stream(`${i}`))).length).toBe(72 * channels)
    }
    // Of a grey image, a coloured model sees three equal channels, also after changes of colour.
    for (let i = 0; i < 20; i++) {
      const values = valueOf(make(['randomResizedCrop', { name: 'colorJitter', config: { hue: 0.5 } }, 'threeAugment'], [8, 9, 3]).values(grey, stream(`${i}`)))
      expect(values.every((value, at) => value === values[at - (at % 3)])).toBe(true)
    }
    expect(problemOf(make(['horizontalFlip'], [8, 9, 3]).values({ ...grey, channels: 2, width: 15, pixels: new Uint8Array(600) }, stream())).code).toBe('channelsMisfit')
  })

  it('keeps the precision of images of more than 8 bits where no step works on pictures', () => {
    const fine = { height: 2, width: 2, channels: 1, pixels: Float32Array.of(0.1001, 0.1002, 0.1003, 0.1004) }
    const made = valueOf(make([{ name: 'randomErasing', config: { probability: 0 } }], [2, 2, 1]).values(fine, stream()))
    expect(new Set(made).size).toBe(4)
    expect(new Set(valueOf(make([{ name: 'horizontalFlip', config: { probability: 0 } }], [2, 2, 1]).values(fine, stream()))).size).toBe(1)
  })

  it('fills what a moved picture leaves with the mean of the data', () => {
    // Drawn at 0, the first operation with a weight is taken: turning, by 30 degrees.
    const turning = make([{ name: 'randAugment', config: { magnitude: 10, magnitudeStd: 0, probability: 1, numOps: 1, set: 'weights' } }], [8, 8, 3])
    const { pixels } = valueOf(turning.picture({ height: 8, width: 8, channels: 3, pixels: new Uint8Array(192) }, { ...stream(), uniform: () => 0 }))
    expect([pixels[0], pixels[189], pixels[108]]).toEqual([128, 128, 0])
  })
})

describe('a list of steps', () => {
  it.each([
    [['randomResizedCrop', 'padAndCrop'], 'augmentOrder', "augment: 'padAndCrop' gives pictures their size, so it comes first, and only one such step can be"],
    [['randomErasing', 'horizontalFlip'], 'augmentOrder', "augment: 'horizontalFlip' changes pictures, so it comes before steps that erase values"],
    [['repeated', 'repeated'], 'augmentOrder', "augment: 'repeated' can be said only once"],
    [[{ name: 'randomChoice', config: { of: ['grayscale', 'randomErasing'] } }], 'augmentOrder', "augment randomChoice: 'randomErasing' cannot be one of several: it does not go from picture to picture of one size"],
    [[{ name: 'randomChoice', config: { of: ['grayscale'], weights: [0] } }], 'badOption', 'augment randomChoice: weights must be as many as the 1 steps, not all 0, got [0]'],
    [[{ name: 'randomApply' }], 'missingOption', "augment randomApply: needs 'of', a list of steps"],
    [['horizontalflip'], 'unknownName', "augment: there is none called 'horizontalflip'"],
    [[{ name: 'colorJitter', config: { hue: 0.6 } }], 'badOption', 'augment colorJitter: hue must be a number from 0 to 0.5, got 0.6'],
    [[{ name: 'randomErasing', config: { area: [0.5, 0.1] } }], 'badOption', 'augment randomErasing: area must be two numbers above 0 and at most 1, the smaller first, got [0.5,0.1]'],
    [[{ name: 'randomErasing', config: { mode: 'noise' } }], 'badOption', `augment randomErasing: mode must be 'pixel', 'rand', 'const', got "noise"`],
    [[{ name: 'randomResizedCrop', config: { size: 224 } }], 'unknownOption', "augment randomResizedCrop: there is no option 'size'"],
    [[7], 'notNamed', 'augment: expects { name, config }'],
    [[{ name: 'horizontalFlip', probability: 0.1 }], 'notNamed', "augment horizontalFlip: expects { name, config }, but there is 'probability' beside them"],
    [['mixup'], 'unknownName', 'augment: MixUp and CutMix mix whole batches, so they are no steps of this list'],
    [[{ name: 'cutMix', config: {} }], 'unknownName', 'augment: MixUp and CutMix mix whole batches, so they are no steps of this list'],
    ['rand-m9', 'notAList', 'augment: must be a list of steps, got "rand-m9"'],
  ])('that cannot be is refused: %j', (steps, code, sentence) => {
    expect(problemOf(augmentationsOf(steps))).toMatchObject({ code, sentence })
  })

  it('says what was meant', () => {
    expect(problemOf(augmentationsOf(['horizontalflip'])).remedy).toBe("did you mean 'horizontalFlip'?")
  })

  it('is told in docs/how-to/augment.md, with every step that there is', () => {
    const page = readFileSync(new URL('../../../../docs/how-to/augment.md', import.meta.url), 'utf8')
    const list = JSON.parse(/"augment": (\[[^`]*\])\n/.exec(page)![1]!) as unknown
    expect(valueOf(augmentationsOf(list)).steps.length).toBe(5)
    const told = [...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) => [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!))
    const steps = Object.keys(augmentations).filter(name => name !== 'augmentationOf')
    expect(steps.filter(name => !told.includes(name))).toEqual([])
    for (const name of told) if (!name.startsWith('random') || name.startsWith('randomErasing')) expect([name, augmentationsOf([name])._tag]).toEqual([name, 'Right'])
  })

  it('may say anywhere how often samples are repeated', () => {
    expect(valueOf(augmentationsOf(['repeated', 'randomResizedCrop', 'randomErasing']))).toMatchObject({ times: 3, framing: { name: 'randomResizedCrop' } })
  })
})
