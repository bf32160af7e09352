import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../src/training/data/decodeImage.js'
import { fitImage } from '../../../src/training/data/fitImage.js'
import { problemOf, valueOf } from '../../support/either.js'

const fixtures = new URL('../../fixtures/data/', import.meta.url)
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`images/${name}`, fixtures))

interface Seen {
  readonly images: Readonly<Record<string, { readonly height: number; readonly width: number; readonly channels: number; readonly most: number; readonly values: readonly number[] }>>
  readonly fitted: readonly { readonly shape: readonly [number, number, number]; readonly crop: number; readonly interpolation: 'bicubic' | 'bilinear'; readonly values: readonly number[] }[]
}

/** What Pillow sees in the files, and makes of one of them. */
const seen = JSON.parse(readFileSync(new URL('seen.json', fixtures), 'utf8')) as Seen

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)

const correlation = (a: readonly number[], b: readonly number[]): number => {
  const centred = (values: readonly number[]): readonly number[] => values.map(value => value - values.reduce((sum, each) => sum + each, 0) / values.length)
  const [x, y] = [centred(a), centred(b)]
  const dot = (p: readonly number[], q: readonly number[]): number => p.reduce((sum, value, i) => sum + value * q[i]!, 0)
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y))
}

/** In 255ths. JPEG decoders round their transform each its own way, and transparency is blended in other orders. */
const tolerance = (name: string): number => (/\.jpg$|alpha/.test(name) ? 2 : 0)

describe('an image is decoded to what Pillow sees', () => {
  it.each(Object.entries(seen.images).filter(([name]) => name !== 'colour.bmp' && name !== 'cmyk.jpg'))('%s', async (name, expected) => {
    const image = valueOf(await decodeImage(bytesOf(name), name)())
    expect([image.height, image.width, image.channels]).toEqual([expected.height, expected.width, expected.channels])
    const most = image.pixels instanceof Uint8Array ? 255 : 1
    const values = Array.from(image.pixels, value => (255 * value) / most)
    expect(values.length).toBe(expected.values.length)
    expect(largestDifference(values, expected.values.map(value => (255 * value) / expected.most))).toBeLessThan(tolerance(name) + 1e-3)
  })

  it('inks become colours: not inverted, if paler than in Pillow, which does not know of inks', async () => {
    const { channels, pixels } = valueOf(await decodeImage(bytesOf('cmyk.jpg'), 'cmyk.jpg')())
    expect(channels).toBe(3)
    expect(correlation(Array.from(pixels), seen.images['cmyk.jpg']!.values)).toBeGreaterThan(0.9)
  })

  it('sixteen bits are kept', async () => {
    const image = valueOf(await decodeImage(bytesOf('grey16.png'), 'grey16.png')())
    expect(Array.from(image.pixels, value => Math.round(value * 65535))).toEqual(seen.images['grey16.png']!.values)
  })
})

describe('what is no image is refused in words', () => {
  const reason = async (bytes: Uint8Array): Promise<string> => {
    const problem = problemOf(await decodeImage(bytes, 'cat.png')())
    expect(problem).toMatchObject({ code: 'imageUnreadable', path: 'cat.png' })
    return problem.sentence
  }

  it('an empty file', async () => expect(await reason(new Uint8Array(0))).toBe('the file is empty'))
  it('a text', async () => expect(await reason(new TextEncoder().encode('not an image'))).toMatch(/cannot be read as an image: .*unsupported image format/))
  it('a bitmap, which sharp does not read', async () => expect(await reason(bytesOf('colour.bmp'))).toMatch(/unsupported image format/))

  it.each(['colour.jpg', 'colour.png', 'colour.webp', 'palette.gif', 'colour.tif'])('the first half of %s', async name => {
    const bytes = bytesOf(name)
    expect(await reason(bytes.subarray(0, bytes.length >> 1))).toMatch(/^cannot be read as an image: [a-z]/)
  })
})

describe('an image is resized and cropped as by Pillow', () => {
  it.each(seen.fitted.map(each => [`${each.interpolation} to ${each.shape.join('×')}, crop ${each.crop}`, each] as const))('%s', async (_, { values, ...options }) => {
    const image = valueOf(await decodeImage(bytesOf('colour.png'), 'colour.png')())
    const fitted = valueOf(fitImage(image, options))
    expect(fitted.length).toBe(values.length)
    expect(largestDifference(fitted, values)).toBeLessThan(1e-5)
  })

  it('normalised by channel', () => {
    const pixels = Uint8Array.of(0, 51, 255)
    expect(valueOf(fitImage({ height: 1, width: 1, channels: 3, pixels }, { shape: [1, 1, 3], mean: [0.5, 0.2, 0], std: [0.5, 1, 2] }))).toEqual(Float32Array.of(-1, 0, 0.5).map((value, i) => (i === 1 ? Math.fround(Math.fround(0.2) - 0.2) : value)))
  })

  it('grey becomes three equal channels, whether resized or not, and colours become luma', async () => {
    const grey = valueOf(await decodeImage(bytesOf('grey.png'), 'grey.png')())
    for (const [height, width] of [[17, 23], [9, 9]] as const) {
      const one = valueOf(fitImage(grey, { shape: [height, width, 1] }))
      const three = valueOf(fitImage(grey, { shape: [height, width, 3] }))
      expect(three).toEqual(Float32Array.from({ length: 3 * one.length }, (_, i) => one[Math.floor(i / 3)]!))
    }
    const luma = valueOf(fitImage(valueOf(await decodeImage(bytesOf('colour.png'), 'colour.png')()), { shape: [17, 23, 1] }))
    // Pillow rounds its luma down to bytes.
    expect(largestDifference(luma, seen.images['grey.png']!.values.map(value => value / 255))).toBeLessThan(1 / 255)
  })

  it('a strip is cropped without making all of it', () => {
    const strip = { height: 1, width: 60_000, channels: 1, pixels: new Uint8Array(60_000).fill(255) }
    expect(valueOf(fitImage(strip, { shape: [224, 224, 1] })).every(value => Math.abs(value - 1) < 1e-6)).toBe(true)
  })

  it('other changes of channels are refused', () => {
    expect(problemOf(fitImage({ height: 1, width: 1, channels: 4, pixels: new Uint8Array(4) }, { shape: [1, 1, 3] }))).toMatchObject({ code: 'channelsMisfit', sentence: 'an image of 1×1×4 does not become one of 3 channels' })
  })
})
