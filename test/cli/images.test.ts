import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { decodeImage, type DecodedImage } from '../../src/cli/parts/decodeImage.js'
import { drawImage } from '../../src/cli/parts/drawImage.js'
import { prepareImage } from '../../src/cli/parts/prepareImage.js'
import { preprocessingOf } from '../../src/cli/parts/preprocessingOf.js'
import pc from 'picocolors'
import { problemOf, valueOf } from '../support/either.js'

const folder = mkdtempSync(join(tmpdir(), 'vitrail-images-'))
const at = (name: string): string => join(folder, name)
const decoded = async (name: string): Promise<DecodedImage> => valueOf(await decodeImage(at(name))())
const raw = { mean: [0, 0, 0], std: [1, 1, 1], crop: 1 }

/** Two pixels, red above blue. */
const redOverBlue = () => sharp(Uint8Array.of(255, 0, 0, 0, 0, 255), { raw: { width: 1, height: 2, channels: 3 } })

describe('decoding an image', () => {
  it('gives values from 0 to 1, row by row, channels last', async () => {
    await redOverBlue().png().toFile(at('plain.png'))
    expect(await decoded('plain.png')).toEqual({ height: 2, width: 1, channels: 3, pixels: Float32Array.of(1, 0, 0, 0, 0, 1) })
  })

  it('turns it upright as its EXIF data say', async () => {
    await redOverBlue().withMetadata({ orientation: 8 }).png().toFile(at('turned.png'))
    // Orientation 8: to be turned a quarter left, so that the upper pixel becomes the left one.
    expect(await decoded('turned.png')).toMatchObject({ height: 1, width: 2, pixels: Float32Array.of(1, 0, 0, 0, 0, 1) })
  })

  it('puts transparent parts on white', async () => {
    await sharp(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255), { raw: { width: 2, height: 1, channels: 4 } }).png().toFile(at('clear.png'))
    expect((await decoded('clear.png')).pixels).toEqual(Float32Array.of(1, 1, 1, 0, 0, 0))
  })

  it('keeps sixteen bits, in grey and in colour', async () => {
    const values = [0, 1, 12345, 65535]
    await sharp(Uint16Array.from(values), { raw: { width: 4, height: 1, channels: 1 } }).toColourspace('grey16').png().toFile(at('grey16.png'))
    expect(await decoded('grey16.png')).toEqual({ height: 1, width: 4, channels: 1, pixels: Float32Array.from(values, v => v / 65535) })
    await sharp(Uint16Array.from([...values, 7, 8]), { raw: { width: 2, height: 1, channels: 3 } }).toColourspace('rgb16').png().toFile(at('rgb16.png'))
    expect((await decoded('rgb16.png')).pixels).toEqual(Float32Array.from([...values, 7, 8], v => v / 65535))
  })

  it('decodes palettes and single-bit images', async () => {
    await redOverBlue().png({ palette: true }).toFile(at('palette.png'))
    expect((await decoded('palette.png')).pixels).toEqual(Float32Array.of(1, 0, 0, 0, 0, 1))
  })

  it('says in one sentence how to install what is lacking', async () => {
    vi.doMock('sharp', () => {
      throw new Error('not installed')
    })
    expect(problemOf(await decodeImage(at('plain.png'))())).toMatchObject({ code: 'sharpMissing', remedy: 'npm install sharp' })
    vi.doUnmock('sharp')
  })
})

describe('preparing an image', () => {
  const ramp = (height: number, width: number): DecodedImage => ({ height, width, channels: 1, pixels: Float32Array.from({ length: height * width }, (_, i) => (i % width) / (width - 1)) })

  it('leaves an image of the right size as it is, but for normalising', () => {
    const image = ramp(4, 4)
    expect(valueOf(prepareImage(image, [4, 4, 1], { mean: [0.5], std: [0.5], crop: 0.5 }))).toEqual(image.pixels.map(value => (value - 0.5) / 0.5))
  })

  it('scales the shorter side and crops the middle', () => {
    // 4 rows cover 4/0.5 = 8: 8×16, of which the middle 4 columns lie around the centre.
    const values = valueOf(prepareImage(ramp(4, 8), [4, 4, 1], { ...raw, crop: 0.5 }))
    expect(values).toHaveLength(16)
    expect(values[0]! + values[3]!).toBeCloseTo(1, 5)
    expect(values[3]! - values[0]!).toBeCloseTo(3 / 14, 2)
  })

  it('stays within black and white where bicubic overshoots', () => {
    const edge: DecodedImage = { height: 1, width: 4, channels: 1, pixels: Float32Array.of(0, 0, 1, 1) }
    const values = valueOf(prepareImage(edge, [8, 32, 1], raw))
    expect([Math.min(...values), Math.max(...values)]).toEqual([0, 1])
  })

  it('makes grey of colours with the luma of ITU-R 601, and colours of grey by repeating', () => {
    const green: DecodedImage = { height: 1, width: 1, channels: 3, pixels: Float32Array.of(0, 1, 0) }
    expect(valueOf(prepareImage(green, [1, 1, 1], raw))).toEqual(Float32Array.of(0.587))
    expect(valueOf(prepareImage({ ...green, channels: 1, pixels: Float32Array.of(0.25) }, [1, 1, 3], raw))).toEqual(Float32Array.of(0.25, 0.25, 0.25))
  })

  it('refuses a model that takes no image', () => {
    expect(problemOf(prepareImage(ramp(2, 2), [7], raw)).sentence).toBe('the model takes 7, not an image of height, width and 1 or 3 channels')
  })

  it('normalises as the weight file says, where it does', () => {
    expect(preprocessingOf(raw, { mean: '0.2860', std: '[0.1, 0.2, 0.3]' })).toEqual({ mean: [0.286], std: [0.1, 0.2, 0.3], crop: 1 })
    expect(preprocessingOf(raw, { mean: 'nonsense' })).toEqual(raw)
  })
})

describe('drawing an image', () => {
  it('takes a line for two rows and leaves out black above and below', () => {
    const image: DecodedImage = { height: 6, width: 2, channels: 1, pixels: Float32Array.of(0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0) }
    expect(drawImage(image, pc.createColors(false))).toEqual(['@ '])
    expect(drawImage(image, pc.createColors(true))).toEqual(['\u001b[38;5;255;48;5;255m▀\u001b[38;5;232;48;5;232m▀\u001b[0m'])
  })
})
