import { describe, expect, it } from 'vitest'
import { maskByNoise } from '../../src/training/maskByNoise.js'
import { boxMask, cutBox, cutMix, mixUp } from '../../src/training/mixing.js'

const size = { height: 4, width: 6 }
/** Three images of 4×6 with two channels, each number telling its image. */
const images = Float32Array.from({ length: 3 * 4 * 6 * 2 }, (_, i) => Math.floor(i / 48))

describe('mixing samples of a batch', () => {
  it('a box that keeps all is empty, and one that keeps nothing is the image', () => {
    expect(cutBox(size, 1, [2, 3])).toEqual({ top: 2, bottom: 2, left: 3, right: 3, lambda: 1 })
    expect(cutBox(size, 0, [2, 3])).toEqual({ top: 0, bottom: 4, left: 0, right: 6, lambda: 0 })
  })

  it('CutMix takes from the partner what the box covers, and the same share by its lambda', () => {
    for (const centre of [[0, 0], [3, 1], [2, 5]] as const) {
      const box = cutBox(size, 0.4, centre)
      const inside = boxMask(size, box)
      const mixed = cutMix(images, 3, size, box, [2, 0, 1])
      mixed.forEach((x, i) => expect(x).toBe(inside[Math.floor(i / 2) % 24] === 1 ? [2, 0, 1][Math.floor(i / 48)] : Math.floor(i / 48)))
      expect(inside.filter(x => x === 0).length / 24).toBeCloseTo(box.lambda, 12)
    }
  })

  it('each sample may have a share and a box of its own', () => {
    const [own, none] = [cutBox(size, 0.4, [2, 3]), { top: 0, bottom: 0, left: 0, right: 0 }]
    const each = cutMix(images, 3, size, [own, none, own])
    const all = cutMix(images, 3, size, own)
    expect([each.subarray(0, 48), each.subarray(48, 96), each.subarray(96)]).toEqual([all.subarray(0, 48), images.subarray(48, 96), all.subarray(96)])
    expect([...mixUp(Float32Array.of(1, 0, 3, 8), 4, [0.5, 1, 0, 0.25])]).toEqual([4.5, 0, 0, 2.75])
  })

  it('mixes leave the batch they are made of as it was', () => {
    const before = images.slice()
    mixUp(images, 3, 0.5)
    cutMix(images, 3, size, cutBox(size, 0.2, [1, 1]))
    expect(images).toEqual(before)
  })

  it('MixUp of a sample with itself changes nothing, and shares add up to one', () => {
    expect(mixUp(images, 3, 0.3, [0, 1, 2])).toEqual(images.map(Math.fround))
    expect([...mixUp(Float32Array.of(1, 0, 0, 1), 2, 0.25)]).toEqual([0.25, 0.75, 0.75, 0.25])
  })
})

describe('masking by noise', () => {
  it('keeps the patches of least noise in order of their noise, those alike in their own order', () => {
    const { keep, shuffle, restore, mask } = maskByNoise([0.5, 0.1, 0.5, 0.1, 0.9], 0.5)
    expect([keep, shuffle, mask]).toEqual([[1, 3], [1, 3, 0, 2, 4], [1, 0, 1, 0, 1]])
    expect(restore.map(place => shuffle[place])).toEqual([0, 1, 2, 3, 4])
  })

  it('takes nothing away where the ratio is 0', () => {
    expect(maskByNoise([3, 1, 2], 0).mask).toEqual([0, 0, 0])
  })
})
