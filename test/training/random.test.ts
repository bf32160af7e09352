import { describe, expect, it } from 'vitest'
import { philox } from '../../src/training/philox.js'
import { random } from '../../src/training/random.js'

describe('Philox gives the numbers its authors publish', () => {
  const hex = (numbers: readonly number[]): string => numbers.map(n => n.toString(16).padStart(8, '0')).join(' ')
  const most = 0xffffffff

  // kat_vectors of Random123, philox4x32 with 10 rounds.
  it('for zeros, for ones and for the digits of pi', () => {
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8')
    expect(hex(philox([most, most, most, most], [most, most]))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd')
    expect(hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe('d16cfe09 94fdcceb 5001e420 24126ea1')
  })
})

describe('a random stream', () => {
  const draws = (stream: ReturnType<typeof random>): readonly number[] => Array.from({ length: 8 }, stream.uniform)

  it('depends on seed, name, step and place, each on its own', () => {
    const streams = [random(1, 'a', 2, 3), random(2, 'a', 2, 3), random(1, 'b', 2, 3), random(1, 'a', 3, 3), random(1, 'a', 2, 4), random(1 + 2 ** 32, 'a', 2, 3)].map(draws)
    expect(new Set(streams.flat()).size).toBe(streams.flat().length)
    expect(draws(random(1, 'a', 2, 3))).toEqual(streams[0])
  })

  it('is not moved by what others draw', () => {
    const [one, other] = [random(1, 'a', 0), random(1, 'b', 0)]
    expect(draws({ ...one, uniform: () => (other.normal(), one.uniform()) })).toEqual(draws(random(1, 'a', 0)))
  })

  it('draws uniform numbers: mean, variance and largest gap to the straight line', () => {
    const stream = random(5, 'uniform', 0)
    const values = Float64Array.from({ length: 20_000 }, stream.uniform).sort()
    const gap = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (i + 0.5) / values.length)), 0)
    // Kolmogorov's statistic: above 1.95/√n in one of a thousand streams.
    expect(gap).toBeLessThan(1.95 / Math.sqrt(values.length))
    expect(values[0]).toBeGreaterThanOrEqual(0)
    expect(values.at(-1)).toBeLessThan(1)
  })

  it('draws normal deviates: the first four moments', () => {
    const stream = random(6, 'normal', 0)
    const values = Array.from({ length: 40_000 }, stream.normal)
    const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / values.length
    // Four standard errors of each moment.
    for (const [power, wanted, spread] of [[1, 0, 1], [2, 1, Math.sqrt(2)], [3, 0, Math.sqrt(15)], [4, 3, Math.sqrt(96)]] as const) expect(Math.abs(moment(power) - wanted)).toBeLessThan((4 * spread) / 200)
  })

  it('draws whole numbers below a bound, each as often', () => {
    const stream = random(7, 'below', 0)
    const counts = Array.from({ length: 7 }, () => 0)
    for (let i = 0; i < 14_000; i++) counts[stream.below(7)]!++
    // Chi squared with six degrees of freedom: above 22.5 in one of a thousand streams.
    expect(counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)).toBeLessThan(22.5)
  })

  it('permutes: all there, and each of the six orders of three as often', () => {
    expect(Array.from(random(8, 'order', 0).permutation(1000)).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    const counts = new Map<string, number>()
    for (let step = 0; step < 6000; step++) {
      const order = random(8, 'order', step).permutation(3).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    // Five degrees of freedom: above 20.5 in one of a thousand.
    expect([...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(20.5)
  })
})
