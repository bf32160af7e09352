import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { affine, type Matrix } from '../../../../src/training/data/augment/pixels/affine.js'
import { crop } from '../../../../src/training/data/augment/pixels/crop.js'
import { desaturated } from '../../../../src/training/data/augment/pixels/desaturated.js'
import { enhance } from '../../../../src/training/data/augment/pixels/enhance.js'
import { flip } from '../../../../src/training/data/augment/pixels/flip.js'
import { gaussianBlur } from '../../../../src/training/data/augment/pixels/gaussianBlur.js'
import type { Interpolation, Picture } from '../../../../src/training/data/augment/pixels/picture.js'
import { resize } from '../../../../src/training/data/augment/pixels/resize.js'
import { rotate } from '../../../../src/training/data/augment/pixels/rotate.js'
import { shiftHue } from '../../../../src/training/data/augment/pixels/shiftHue.js'
import { tones } from '../../../../src/training/data/augment/pixels/tones.js'

interface Written {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** zlib, as base64. */
  readonly pixels: string
}

interface Recorded {
  readonly fill: readonly number[]
  readonly pictures: Readonly<Record<string, Written>>
  readonly cases: readonly { readonly picture: string; readonly operation: string; readonly arguments: readonly never[]; readonly result: Written }[]
}

/** What Pillow makes of small pictures. */
const recorded = JSON.parse(readFileSync(new URL('../../../fixtures/augment/pillow.json', import.meta.url), 'utf8')) as Recorded

const read = ({ pixels, ...size }: Written): Picture => ({ ...size, pixels: new Uint8Array(inflateSync(Buffer.from(pixels, 'base64'))) })

const operations: Readonly<Record<string, (picture: Picture, ...given: never[]) => Picture>> = {
  flip,
  desaturated,
  ...tones,
  ...enhance,
  shiftHue,
  gaussianBlur,
  affine: (picture: Picture, matrix: Matrix, interpolation: Interpolation) => affine(picture, matrix, interpolation, recorded.fill),
  rotate: (picture: Picture, degrees: number, interpolation: Interpolation) => rotate(picture, degrees, interpolation, recorded.fill),
  resize: (picture: Picture, top: number, left: number, height: number, width: number, rows: number, columns: number, interpolation: 'bilinear' | 'bicubic') => resize(picture, { top, left, height, width }, [rows, columns], interpolation),
  cropConstant: (picture: Picture, top: number, left: number, height: number, width: number) => crop(picture, { top, left, height, width }, 'constant'),
  cropReflect: (picture: Picture, top: number, left: number, height: number, width: number) => crop(picture, { top, left, height, width }, 'reflect'),
}

describe('each operation gives the bytes that Pillow gives', () => {
  const names = [...new Set(recorded.cases.map(({ operation }) => operation))]

  it('all of them are recorded', () => {
    expect(names.sort()).toEqual(Object.keys(operations).sort())
  })

  it.each(names)('%s', name => {
    const wrong = recorded.cases.filter(({ operation }) => operation === name).flatMap(({ picture, arguments: given, result }) => {
      const expected = read(result)
      const made = operations[name]!(read(recorded.pictures[picture]!), ...given)
      const differences = Array.from(made.pixels, (value, i) => Math.abs(value - expected.pixels[i]!)).filter(difference => difference !== 0)
      const isSize = made.height === expected.height && made.width === expected.width && made.pixels.length === expected.pixels.length
      return isSize && differences.length === 0 ? [] : [`${picture} ${JSON.stringify(given)}: ${differences.length} of ${expected.pixels.length} differ, by ${Math.max(...differences)}`]
    })
    expect(wrong).toEqual([])
  })
})
