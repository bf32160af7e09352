import { describe, expect, it } from 'vitest'
import { constant, cosine, scheduleOf, warmup } from '../../src/training/schedules.js'
import { linearDropPath } from '../../src/training/linearDropPath.js'
import { problemOf, valueOf } from '../support/either.js'
import { recorded } from './recorded.js'

describe('schedules', () => {
  it.each(recorded.schedules.map(s => [JSON.stringify(s.schedule), s] as const))('%s gives the rates of timm', (_, { schedule, at, rates }) => {
    const { rate } = valueOf(scheduleOf(schedule))
    expect(at.length).toBeGreaterThan(10)
    at.forEach((step, i) => expect(Math.abs(rate(step) - rates[i]!)).toBeLessThan(1e-15))
  })

  it('come back from JSON as they were, the warm-up with what it leads to', () => {
    const made = warmup({ steps: 5, from: 1e-6 }, cosine({ rate: 1e-3, steps: 300, minimum: 1e-5 }))
    const back = valueOf(scheduleOf(JSON.parse(JSON.stringify(made))))
    expect(JSON.stringify(back)).toBe(JSON.stringify(made))
    expect([0, 3, 5, 120, 299, 400].map(back.rate)).toEqual([0, 3, 5, 120, 299, 400].map(made.rate))
  })

  it('a warm-up to a constant rises in a straight line and stays', () => {
    const { rate } = warmup({ steps: 4, from: 0.2 }, constant({ rate: 1 }))
    expect([0, 1, 2, 3, 4, 50].map(step => rate(step).toFixed(12))).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1].map(x => x.toFixed(12)))
  })

  it.each([
    [{ name: 'linear' }, 'unknownName', ''],
    [{ name: 'cosine', config: { rate: 1 } }, 'missingOption', 'steps'],
    [{ name: 'cosine', config: { rate: 0, steps: 1 } }, 'badOption', 'rate'],
    [{ name: 'cosine', config: { rate: 1, steps: 1, cycles: 1.5 } }, 'badOption', 'cycles'],
    [{ name: 'stepped', config: { rate: 1, every: 3, gamma: 1 } }, 'unknownOption', 'gamma'],
    [{ name: 'warmup', config: { steps: 5, schedule: { name: 'constant', config: { rate: 'fast' } } } }, 'badOption', 'schedule.rate'],
    [{ name: 'warmup', config: { steps: 5, schedule: { name: 'warmup', config: { steps: 5, schedule: { name: 'constant', config: { rate: 1 } } } } } }, 'badOption', 'schedule'],
  ])('%j is refused: %s at %s', (given, code, path) => {
    expect(problemOf(scheduleOf(given))).toMatchObject({ code, path })
  })
})

describe('the linear rule of stochastic depth', () => {
  it('begins at 0, ends at the rate, and counts the blocks of all stages together', () => {
    expect(linearDropPath(0.3, 4).map(x => x.toFixed(12))).toEqual([0, 0.1, 0.2, 0.3].map(x => x.toFixed(12)))
    expect(linearDropPath(0.3, [1, 2, 1])).toEqual(linearDropPath(0.3, 4))
    expect(linearDropPath(0.3, 1)).toEqual([0])
  })
})
