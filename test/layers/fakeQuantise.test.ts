import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { fakeQuantise, input, shapeOf, type FakeQuantiseConfig } from '../../src/index.js'
import { problemOf } from '../support/either.js'

describe('fake quantisation', () => {
  it.each<[FakeQuantiseConfig, string, string]>([
    [{ scale: [0.1, 0.2] }, 'scalesDiffer', 'there are 2 scales for axis 1 of 5×3'],
    [{ scale: 0.1, zeroPoint: [1, 2, 3, 4], axis: 0 }, 'scalesDiffer', 'there are 4 zero points for axis 0 of 5×3'],
    [{ scale: 0.1, zeroPoint: [1, 2, 300] }, 'notARange', 'got -128,127 and 1,2,300'],
    [{ scale: [0.1, 0, 1] }, 'notAScale', 'got 0.1,0,1'],
  ])('refuses %j with %s', (config, code, words) => {
    const problem = problemOf(shapeOf(pipe(input(5, 3), fakeQuantise(config)) as never))
    expect(problem.code).toBe(code)
    expect(problem.sentence).toContain(words)
  })
})
