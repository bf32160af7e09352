import { describe, expect, it } from 'vitest'
import { augmentationOf } from '../../../../src/training/data/augment/augmentationOf.js'
import { notation } from '../../../../src/training/data/augment/notation.js'
import { applyPart } from '../../../../src/training/data/augment/policy/applyPart.js'
import { choices } from '../../../../src/training/data/augment/policy/choices.js'
import { operations } from '../../../../src/training/data/augment/policy/operations.js'
import { policies } from '../../../../src/training/data/augment/policy/policies.js'
import { autoAugment } from '../../../../src/training/data/augment/steps/autoAugment.js'
import { randAugment } from '../../../../src/training/data/augment/steps/randAugment.js'
import { trivialAugment } from '../../../../src/training/data/augment/steps/trivialAugment.js'
import { random } from '../../../../src/training/random.js'
import { problemOf, valueOf } from '../../../support/either.js'
import { digest, fixed, read, recorded, targetOf } from './recorded.js'

const picture = read(recorded.picture)

describe('operations of policies give the bytes that timm gives', () => {
  const names = [...new Set(recorded.operations.map(({ name }) => name))]

  it('at every magnitude, either sign and both ways of reading between pixels', () => {
    expect(names.sort()).toEqual(Object.keys(operations).sort())
    const wrong = recorded.operations.filter(({ name, magnitude, positive, interpolation, digest: expected }) => {
      const made = applyPart([name as keyof typeof operations, 1, magnitude], picture, fixed(positive ? 0.75 : 0.25), targetOf(picture.height, picture.width, 3, interpolation), {})
      return digest(made) !== expected
    })
    expect(wrong).toEqual([])
  })
})

describe('autoAugment', () => {
  it('holds the policies that timm holds', () => {
    expect(policies).toEqual(recorded.policies)
  })

  it('draws each of its pairs as often, and does each part with its probability', () => {
    const small = { height: 2, width: 2, channels: 1, pixels: Uint8Array.of(10, 60, 140, 250) }
    const draws = 5000
    const drawn = new Uint32Array(25)
    let unchanged = 0
    for (let i = 0; i < draws; i++) {
      const stream = random(3, 'pairs', i)
      autoAugment().apply(small, { ...stream, below: count => (drawn[stream.below(count)]!++, 0) }, targetOf(2, 2, 1))
      // The ninth pair turns with a probability of 0.2 and solarises with one of 0.6.
      if (autoAugment().apply(small, { ...random(3, 'parts', i), below: () => 8 }, targetOf(2, 2, 1)) === small) unchanged++
    }
    // Pearson's statistic of 24 degrees of freedom is above 51.2 once in a thousand times.
    expect(drawn.reduce((sum, count) => sum + (count - draws / 25) ** 2 / (draws / 25), 0)).toBeLessThan(51.2)
    expect(Math.abs(unchanged / draws - 0.8 * 0.4)).toBeLessThan(4 * Math.sqrt((0.32 * 0.68) / draws))
  })
})

describe('randAugment', () => {
  it('means by a notation what timm means by it', () => {
    for (const { text, operations: names, weights, count, probability, magnitude, std, most } of recorded.notations) {
      const { name, config } = valueOf(notation(text)) as { readonly name: string; readonly config: Parameters<typeof randAugment>[0] & object }
      const set = config.set ?? 'all'
      const drawn: { readonly names: readonly string[]; readonly weights?: readonly number[] } = choices[set === 'all' ? (config.increasing === true ? 'increasing' : 'plain') : set]
      expect([text, name, drawn.names, config.numOps ?? 2, config.probability ?? 0.5, config.magnitude, config.magnitudeMax ?? 10]).toEqual([text, 'randAugment', names, count, probability, magnitude, most])
      expect(config.magnitudeStd! > 100 ? null : config.magnitudeStd).toBe(std)
      const sum = drawn.weights?.reduce((total, weight) => total + weight, 0)
      expect(drawn.weights?.map(weight => weight / sum!) ?? null).toEqual(weights?.map(weight => expect.closeTo(weight, 12) as number) ?? null)
    }
  })

  it('says what it cannot read of a notation', () => {
    expect(problemOf(augmentationOf('rand-m9-q3')).sentence).toBe("augment: 'rand-m9-q3': cannot read 'q3'")
    expect(problemOf(augmentationOf('original-m3'))).toMatchObject({ code: 'badNotation', remedy: "such as 'original-mstd0.5'" })
    expect(problemOf(augmentationOf('augmix-m3')).sentence).toContain('AugMix is not among the steps')
    expect(problemOf(augmentationOf('rand-p3')).sentence).toBe('augment randAugment: probability must be a number from 0 to 1, got 3')
    expect(valueOf(augmentationOf('original-mstd0.5'))).toMatchObject({ name: 'autoAugment', config: { policy: 'original', magnitudeStd: 0.5 } })
    expect(valueOf(augmentationOf('3a')).name).toBe('threeAugment')
  })

  it('varies magnitudes as it says: about a mean, evenly, and within their limits', () => {
    const target = targetOf(1, 1, 1)
    // A factor of brightness tells the magnitude: it is 0.1 at 0, and 1.9 at 10.
    const grey = { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(100) }
    const magnitudes = (options: { readonly magnitudeStd: number; readonly magnitudeMax?: number }, magnitude: number): readonly number[] =>
      Array.from({ length: 4000 }, (_, i) => ((applyPart(['brightness', 1, magnitude], grey, random(4, 'magnitude', i), target, options).pixels[0]! + 0.5) / 100 - 0.1) / 0.18)
    const about = magnitudes({ magnitudeStd: 0.5 }, 5)
    const mean = about.reduce((sum, value) => sum + value, 0) / about.length
    const deviation = Math.sqrt(about.reduce((sum, value) => sum + (value - mean) ** 2, 0) / about.length)
    expect([mean, deviation]).toEqual([expect.closeTo(5, 1), expect.closeTo(0.5, 1)])
    expect(Math.max(...magnitudes({ magnitudeStd: 3 }, 9))).toBeLessThan(10.1)
    expect(Math.max(...magnitudes({ magnitudeStd: 3, magnitudeMax: 12 }, 9))).toBeGreaterThan(11.5)
    const even = magnitudes({ magnitudeStd: 101 }, 8)
    for (const share of [0.25, 0.5, 0.75]) expect(even.filter(value => value < 8 * share).length / even.length).toBeCloseTo(share, 1)
  })

  it('draws operations without taking one twice where they have weights', () => {
    const target = targetOf(picture.height, picture.width)
    const three = { numOps: 3, probability: 1, set: '3a' as const, magnitudeStd: 0 }
    expect(randAugment(three).apply(picture, random(1, 'three', 0), target)).toEqual(randAugment(three).apply(picture, random(1, 'three', 0), target))
    // All 14 drawn at once are done in some order: more cannot be drawn.
    const all = (numOps: number) => randAugment({ numOps, probability: 1, set: '3aw', magnitudeStd: 0 }).apply(picture, random(2, 'all', 0), target)
    expect(digest(all(14))).toBe(digest(all(20)))
    expect(digest(all(14))).not.toBe(digest(all(13)))
    // Of no strength, only inverting changes which of two pixels is the brighter: all drawn once, it is done once.
    const two = { height: 1, width: 2, channels: 1, pixels: Uint8Array.of(0, 255) }
    const inverted = (set: 'weights' | 'all') => Array.from({ length: 40 }, (_, i) => {
      const [first, second] = randAugment({ magnitude: 0, magnitudeStd: 0, numOps: 15, probability: 1, set }).apply(two, random(i, 'two', 0), targetOf(1, 2, 1)).pixels
      return first! > second!
    })
    expect(inverted('weights').every(each => each)).toBe(true)
    expect(inverted('all').every(each => each)).toBe(false)
  })
})

describe('trivialAugment', () => {
  const large = read(recorded.large)

  it('gives the bytes that torchvision gives, for each operation, strength and sign', () => {
    const step = trivialAugment()
    const wrong = recorded.trivial.filter(({ index, strength, positive, digest: expected }) => {
      const made = step.apply(large, fixed(positive ? 0.75 : 0.25, count => (count === 14 ? index : strength)), targetOf(large.height, large.width))
      return digest(made) !== expected
    })
    expect(wrong).toEqual([])
  })
})
