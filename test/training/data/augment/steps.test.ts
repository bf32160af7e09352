import { describe, expect, it } from 'vitest'
import type { Change } from '../../../../src/training/data/augment/augmentation.js'
import type { Picture } from '../../../../src/training/data/augment/pixels/picture.js'
import { resize } from '../../../../src/training/data/augment/pixels/resize.js'
import { colorJitter } from '../../../../src/training/data/augment/steps/colorJitter.js'
import { gaussianBlur } from '../../../../src/training/data/augment/steps/gaussianBlur.js'
import { grayscale } from '../../../../src/training/data/augment/steps/grayscale.js'
import { horizontalFlip } from '../../../../src/training/data/augment/steps/horizontalFlip.js'
import { padAndCrop } from '../../../../src/training/data/augment/steps/padAndCrop.js'
import { randomApply } from '../../../../src/training/data/augment/steps/randomApply.js'
import { randomChoice } from '../../../../src/training/data/augment/steps/randomChoice.js'
import { randomErasing } from '../../../../src/training/data/augment/steps/randomErasing.js'
import { randomRegion } from '../../../../src/training/data/augment/steps/randomRegion.js'
import { randomResizedCrop } from '../../../../src/training/data/augment/steps/randomResizedCrop.js'
import { solarize } from '../../../../src/training/data/augment/steps/solarize.js'
import { threeAugment } from '../../../../src/training/data/augment/steps/threeAugment.js'
import { verticalFlip } from '../../../../src/training/data/augment/steps/verticalFlip.js'
import { random } from '../../../../src/training/random.js'
import { kolmogorov, moments, read, recorded, targetOf } from './recorded.js'

const picture = read(recorded.picture)
/** Kolmogorov's statistic of that many draws is above this once in a thousand times. */
const chance = (count: number): number => 1.95 / Math.sqrt(count)
const some = <T>(count: number, name: string, draw: (stream: ReturnType<typeof random>) => T): readonly T[] => Array.from({ length: count }, (_, i) => draw(random(5, name, i)))

/** Means are within five deviations of a mean of so many draws, deviations within 3%. */
const alike = (values: readonly number[], [mean, deviation]: readonly [number, number], draws: number): void => {
  const [own, ownDeviation] = moments(values)
  expect(Math.abs(own - mean)).toBeLessThan(5 * deviation * Math.sqrt(1 / values.length + 1 / draws))
  expect(Math.abs(ownDeviation - deviation)).toBeLessThan(0.03 * deviation)
}

describe('randomResizedCrop', () => {
  it('draws areas evenly, proportions evenly by their logarithm, and places evenly', () => {
    const [least, most] = [0.05, 0.3]
    const regions = some(4000, 'even', stream => randomRegion({ height: 3000, width: 3000 }, { scale: [least, most], ratio: [0.5, 3] }, stream))
    const evenly = (values: readonly number[]): void => expect(kolmogorov(values)).toBeLessThan(chance(values.length))
    evenly(regions.map(({ height, width }) => ((height * width) / 9e6 - least) / (most - least)))
    evenly(regions.map(({ height, width }) => (Math.log(width / height) - Math.log(0.5)) / Math.log(6)))
    evenly(regions.map(({ top, height }) => top / (3000 - height)))
    evenly(regions.map(({ left, width }) => left / (3000 - width)))
  })

  it('draws regions as torchvision does also where many do not fit', () => {
    for (const { height, width, area, logRatio, top, left } of recorded.crops) {
      const regions = some(20000, 'crops', stream => randomRegion({ height, width }, { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }, stream))
      alike(regions.map(region => (region.height * region.width) / (height * width)), area, recorded.draws)
      alike(regions.map(region => Math.log(region.width / region.height)), logRatio, recorded.draws)
      alike(regions.map(region => region.top), top, recorded.draws)
      alike(regions.map(region => region.left), left, recorded.draws)
    }
  })

  it('takes the largest central part where none fits', () => {
    const options = { scale: [0.9, 1], ratio: [3 / 4, 4 / 3] } as const
    expect(randomRegion({ height: 10, width: 1000 }, options, random(0, 'wide', 0))).toEqual({ top: 0, left: 493, height: 10, width: 13 })
    expect(randomRegion({ height: 1000, width: 10 }, options, random(0, 'high', 0))).toEqual({ top: 493, left: 0, height: 13, width: 10 })
  })

  it('resizes what it has drawn, in the way that is asked for', () => {
    const made = (options: Parameters<typeof randomResizedCrop>[0]) => randomResizedCrop(options).apply(picture, random(6, 'crop', 0), targetOf(9, 12)).pixels
    const region = randomRegion(picture, { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }, random(6, 'crop', 0))
    expect(made({})).toEqual(resize(picture, region, [9, 12], 'bicubic').pixels)
    expect(made({ interpolation: 'bilinear' })).toEqual(resize(picture, region, [9, 12], 'bilinear').pixels)
    const kinds = new Set(some(40, 'kinds', stream => (randomResizedCrop({ interpolation: 'random', scale: [1, 1], ratio: [picture.width / picture.height, picture.width / picture.height] }).apply(picture, stream, targetOf(9, 12)).pixels.join())))
    expect(kinds.size).toBe(2)
  })
})

describe('padAndCrop', () => {
  const [height, width] = [6, 5]
  const numbered: Picture = { height, width, channels: 1, pixels: Uint8Array.from({ length: height * width }, (_, i) => i + 1) }

  it('takes every place of the padded picture as often', () => {
    const places = new Map<string, number>()
    const draws = 5000
    for (const { pixels } of some(draws, 'places', stream => padAndCrop({ padding: 2 }).apply(numbered, stream, targetOf(height, width, 1)))) places.set(pixels.join(), (places.get(pixels.join()) ?? 0) + 1)
    expect(places.size).toBe(25)
    // Once in a thousand times above, of 24 degrees of freedom.
    expect([...places.values()].reduce((sum, count) => sum + (count - draws / 25) ** 2 / (draws / 25), 0)).toBeLessThan(51.2)
  })

  it('puts black around, or the picture mirrored', () => {
    const corner = (mode: 'constant' | 'reflect') => padAndCrop({ padding: 2, mode }).apply(numbered, { ...random(0, 'corner', 0), below: () => 0 }, targetOf(height, width, 1)).pixels
    expect([...corner('constant').subarray(0, 2 * width + 3)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect([...corner('reflect').subarray(0, 2 * width)]).toEqual([13, 12, 11, 12, 13, 8, 7, 6, 7, 8])
  })

  it('first resizes a picture of another size, until it covers what the model takes', () => {
    // 26×40 becomes 13×20, of which 13×13 is cut at one of 16 by 9 places.
    const covering = resize(picture, { top: 0, left: 0, height: 26, width: 40 }, [13, 20], 'bicubic')
    const made = padAndCrop({ padding: 4, mode: 'reflect' }).apply(picture, { ...random(0, 'covering', 0), below: count => (count === 9 ? 4 : count === 16 ? 7 : -1) }, targetOf(13, 13))
    const rows = Array.from({ length: 13 }, (_, y) => [...covering.pixels.subarray((y * 20 + 3) * 3, (y * 20 + 16) * 3)])
    expect([...made.pixels]).toEqual(rows.flat())
  })
})

describe('a probability is how often a change is made', () => {
  const target = targetOf(picture.height, picture.width)
  const draws = 1500
  const isNear = (share: number, probability: number): void => expect(Math.abs(share - probability)).toBeLessThan(4 * Math.sqrt((probability * (1 - probability)) / draws) + 1e-12)
  const small: Picture = { height: 2, width: 3, channels: 3, pixels: Uint8Array.from({ length: 18 }, (_, i) => (i * 53) % 256) }
  const shareOf = (step: Change): number => some(draws, step.name, stream => step.apply(small, stream, target)).filter(made => made !== small).length / draws

  const steps: readonly (readonly [Change, number])[] = [
    [horizontalFlip(), 0.5],
    [horizontalFlip({ probability: 0.1 }), 0.1],
    [verticalFlip(), 0.5],
    [grayscale(), 1],
    [grayscale({ probability: 0.2 }), 0.2],
    [solarize({ probability: 0.2 }), 0.2],
    [gaussianBlur({ probability: 0.7 }), 0.7],
    [colorJitter({ probability: 0.8 }), 0.8],
    [colorJitter({ probability: 0 }), 0],
    [randomApply({ of: [grayscale(), solarize()], probability: 0.3 }), 0.3],
    [randomApply({ of: [horizontalFlip(), horizontalFlip()] }), 0.5 * 0.75],
  ]

  it.each(steps.map(([step, probability]) => [`${step.name} ${JSON.stringify(step.config)}`, probability, step] as const))('%s: %d', (_, probability, step) => isNear(shareOf(step), probability))

  it('of several, one is made, as often as its weight says', () => {
    const kinds = (step: Change): readonly number[] => {
      const made = some(draws, 'kinds', stream => step.apply(small, stream, target).pixels.join())
      return [grayscale(), solarize()].map(one => made.filter(pixels => pixels === one.apply(small, random(0, 'any', 0), target).pixels.join()).length / draws)
    }
    const [grey, bright] = kinds(threeAugment())
    isNear(grey!, 1 / 3)
    isNear(bright!, 1 / 3)
    const [often, seldom] = kinds(randomChoice({ of: [grayscale(), solarize()], weights: [3, 1] }))
    isNear(often!, 0.75)
    isNear(seldom!, 0.25)
  })
})

describe('colorJitter', () => {
  const at = (value: number): Picture => ({ height: 1, width: 1, channels: 1, pixels: Uint8Array.of(value) })
  const none = { brightness: 0, contrast: 0, saturation: 0 }

  it('draws factors evenly around 1, never below 0', () => {
    const factors = (brightness: number) => some(3000, 'factors', stream => (colorJitter({ ...none, brightness }).apply(at(100), stream, targetOf(1, 1, 1)).pixels[0]! + 0.5) / 100)
    expect(kolmogorov(factors(0.4).map(factor => (factor - 0.6) / 0.8))).toBeLessThan(chance(3000))
    const wide = factors(1.5)
    expect(wide.filter(factor => factor < 0.01).length).toBeLessThan(40)
    expect(kolmogorov(wide.map(factor => factor / 2.5))).toBeLessThan(chance(3000) + 0.01)
  })

  it('makes its changes in random order, and leaves saturation and hue of grey pictures alone', () => {
    // Brightness before contrast saturates other values than after it.
    const pair: Picture = { height: 1, width: 2, channels: 3, pixels: Uint8Array.of(250, 40, 90, 20, 30, 200) }
    const orders = new Set(some(60, 'orders', stream => colorJitter({ brightness: 0.9, contrast: 0.9, saturation: 0 }).apply(pair, { ...stream, uniform: () => 0.99 }, targetOf(1, 2)).pixels.join()))
    expect(orders.size).toBe(2)
    const grey: Picture = { height: 1, width: 2, channels: 1, pixels: Uint8Array.of(9, 200) }
    for (const made of some(20, 'grey', stream => colorJitter({ ...none, saturation: 0.9, hue: 0.5 }).apply(grey, stream, targetOf(1, 2, 1)))) expect(made.pixels).toEqual(grey.pixels)
  })
})

describe('randomErasing', () => {
  const [height, width] = [32, 40]
  const erased = (options: Parameters<typeof randomErasing>[0], stream: ReturnType<typeof random>, channels = 1): Float32Array => {
    const values = new Float32Array(height * width * channels).fill(100)
    randomErasing(options).apply(values, stream, targetOf(height, width, channels))
    return values
  }

  it('takes out boxes as timm does', () => {
    for (const { options: { min_area: least = 0.02, max_area: most = 1 / 3, min_aspect: flattest = 0.3, max_count: boxes = 1 }, share, top, left, rows, columns } of recorded.erasings) {
      const made = some(10000, 'boxes', stream => erased({ probability: 1, mode: 'const', area: [least, most], aspect: [flattest, 1 / flattest], count: boxes === 1 ? 1 : [1, boxes] }, stream))
      const seen = made.map(values => {
        const places = Array.from(values, (value, i) => (value === 0 ? i : -1)).filter(i => i >= 0)
        const [ys, xs] = [new Set(places.map(i => Math.floor(i / width))), new Set(places.map(i => i % width))]
        return places.length === 0 ? [0, 0, 0, 0, 0] : [places.length / values.length, Math.min(...ys), Math.min(...xs), ys.size, xs.size]
      })
      for (const [i, expected] of [share, top, left, rows, columns].entries()) alike(seen.map(each => each[i]!), expected, recorded.draws / 4)
    }
  })

  it('with its probability', () => {
    const share = some(2000, 'probability', stream => erased({}, stream)).filter(values => values.some(value => value !== 100)).length / 2000
    expect(Math.abs(share - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 2000))
  })

  it('puts noise, a colour or nothing in their place', () => {
    const gone = (mode: 'pixel' | 'rand' | 'const') => [...erased({ probability: 1, mode, area: [0.2, 0.2] }, random(9, mode, 0), 3)].map((value, i) => [value, i % 3] as const).filter(([value]) => value !== 100)
    expect(new Set(gone('const').map(([value]) => value))).toEqual(new Set([0]))
    expect(new Set(gone('rand').map(([value, c]) => `${c}: ${value}`)).size).toBe(3)
    const noise = gone('pixel').map(([value]) => value)
    expect(new Set(noise).size).toBe(noise.length)
    const [mean, deviation] = moments(noise)
    expect([Math.abs(mean) < 4 / Math.sqrt(noise.length), Math.abs(deviation - 1) < 4 / Math.sqrt(2 * noise.length)]).toEqual([true, true])
  })
})
