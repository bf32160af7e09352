import { describe, expect, it } from 'vitest'
import { inverseNormal } from '../../src/weights/inverseNormal.js'
import { mulberry32 } from '../../src/weights/mulberry32.js'
import { stableLog } from '../../src/weights/stableLog.js'

describe('the inverse normal distribution', () => {
  it.each([
    // Python 3.11: statistics.NormalDist().inv_cdf((1 + v) / 2)
    [0.25, 0.31863936396437514], [0.5, 0.6744897501960817], [0.9, 1.6448536269514715],
    [0.999, 3.2905267314919255], [1 - 2 ** -23, 5.294704084854597],
  ])('has ±%d of the deviates within ±%d', (share, deviate) => {
    expect(Math.abs(inverseNormal(share) / deviate - 1)).toBeLessThan(1e-14)
    expect(inverseNormal(-share)).toBe(-inverseNormal(share))
  })

  it('rises, also where its three formulas meet', () => {
    for (const seam of [0.85, 1 - 2 * Math.exp(-25)]) {
      for (let v = seam - 1e-12, step = 2e-14; v < seam + 1e-12 && v < 1; v += step) {
        expect(inverseNormal(v + step) - inverseNormal(v)).toBeGreaterThan(-1e-14 * inverseNormal(v))
      }
    }
  })

  it('ends at infinity, and is nothing beyond', () => {
    expect([0, 1, -1, 1.5, NaN].map(inverseNormal)).toEqual([0, Infinity, -Infinity, NaN, NaN])
  })
})

describe('the stable logarithm', () => {
  it('agrees with the engine\'s to the last bits', () => {
    const draw = mulberry32(1)
    let worst = 0
    for (let i = 0; i < 100_000; i++) {
      const x = ((draw() + 0.5) / 2 ** 32) * 2 ** ((draw() % 120) - 60)
      worst = Math.max(worst, Math.abs(stableLog(x) / Math.log(x) - 1))
    }
    expect(worst).toBeLessThan(5e-16)
  })

  it('is exact where the logarithm is', () => {
    expect([stableLog(1), stableLog(2), stableLog(0.5)]).toEqual([0, Math.LN2, -Math.LN2])
  })
})
