import { describe, expect, it } from 'vitest'
import { classToken, expectShape, linear, residual, selfAttention, serial, skipTokens, takeToken, windowAttention, windows, type AnyLayer, type AnyModel } from '../../src/index.js'
import { defineLayer } from '../../src/layers/core/layer.js'
import { model } from '../../src/layers/core/model.js'
import { choicesOf } from '../../src/testing/arbitraries/choices.js'
import { constructors } from '../../src/testing/arbitraries/constructors.js'
import { grow } from '../../src/testing/arbitraries/grow.js'
import { expectedOf, judgedLayers } from '../../src/testing/mutations/expectedOf.js'
import { disagreement, mutationScore, mutants, showMutationScore } from '../../src/testing/mutations/mutationScore.js'
import { mutations } from '../../src/testing/mutations/mutations.js'
import { toSource } from '../../src/testing/source/toSource.js'
import { apply, samples } from '../layers/samples.js'
import { published } from './published.js'

const deep = process.env['VITRAIL_DEEP'] === '1'
const seed = Number(process.env['VITRAIL_SEED'] ?? 1)
const of = (shape: readonly number[], ...layers: readonly AnyLayer[]): AnyModel => model({ shape, dtype: 'float32' }, layers)
const told = (m: AnyModel): string => toSource(m, { imports: false })

describe('the definition in plain arithmetic', () => {
  it('agrees with tracing on every example of every layer', () => {
    const wrong = samples.flatMap(sample => {
      const made = apply(sample) as unknown as AnyModel
      const expected = expectedOf(made)
      const why = expected === undefined ? undefined : disagreement({ model: made, expected })
      return why === undefined ? [] : [`${sample.text}: ${why}`]
    })
    expect(wrong).toEqual([])
  })

  it('agrees with tracing on every published recipe', () => {
    const judged = published.flatMap(([id, m]) => {
      const expected = expectedOf(m)
      return expected === undefined ? [] : [[id, disagreement({ model: m, expected })]]
    })
    expect(judged.filter(([, why]) => why !== undefined)).toEqual([])
    expect(judged.length).toBeGreaterThan(30)
  })

  it('knows layers of the listing, each of which it can judge', () => {
    expect(judgedLayers.filter(name => !(name in constructors))).toEqual([])
    expect(judgedLayers.length).toBeGreaterThan(55)
    expect(judgedLayers.filter(name => Array.from({ length: 6 }, (_, i) => grow(choicesOf(i), { layers: judgedLayers, favourite: name, depth: 2, nesting: 1 })).every(m => expectedOf(m) === undefined))).toEqual([])
  })

  it('agrees with tracing on windows as large as the map, and on tokens that join within a shifted one', () => {
    const attention = selfAttention({ numHeads: 3 })
    const cases: readonly (readonly [AnyModel, unknown])[] = [
      [of([8, 8, 5], windows({ windowSize: [4, 8], shift: [1, 0], clamp: 'both' }, serial(expectShape(32, 5), linear(7)))), { shape: [8, 8, 7] }],
      [of([8, 6, 5], windows({ windowSize: [4, 8], clamp: 'both' }, expectShape(36, 5))), { code: 'windowsDoNotFit', path: 'windows' }],
      [of([8, 12, 15], windows({ windowSize: 4, shift: 1 }, serial(classToken(), attention, skipTokens(1)))), { code: 'notTheWindow', path: 'attention' }],
      [of([8, 12, 15], windows({ windowSize: 4 }, serial(classToken(), attention, skipTokens(1)))), { shape: [8, 12, 15] }],
      [of([8, 12, 15], windows({ windowSize: 4 }, serial(classToken(), windowAttention({ numHeads: 3 }), skipTokens(1)))), { code: 'notTheWindow', path: 'attention' }],
    ]
    for (const [m, expected] of cases) expect([expectedOf(m), disagreement({ model: m, expected: expectedOf(m)! })]).toEqual([expected, undefined])
  })

  it('says nothing of a layer that it does not know', () => {
    const own = (): AnyLayer => defineLayer('own', own, [], { forward: x => x })
    expect(expectedOf(of([3], own()))).toBeUndefined()
  })
})

describe(`mutants (seed ${seed})`, () => {
  const score = mutationScore({ seed, models: deep ? 3000 : 400 })

  it('that are broken are all refused, with the code and at the path they should be, and those that happen to be valid are not', () => {
    expect(score.survivors.map(({ mutant, why }) => `${mutant.mutation}: ${why}\n${told(mutant.model)}`)).toEqual([])
    expect(score.score).toBe(1)
    expect(score.broken).toBeGreaterThan(deep ? 12_000 : 1200)
  })

  it('come of every mutation, and each breaks some', () => {
    expect([...score.byMutation].filter(([, { broken }]) => broken === 0).map(([name]) => name)).toEqual([])
    expect([...score.byMutation.keys()]).toEqual(Object.keys(mutations))
  })

  it('are of many codes', () => {
    const codes = new Set<string>()
    for (let i = 0; i < 60; i++) for (const { expected } of mutants(grow(choicesOf(seed * 100 + i)), choicesOf(i))) if ('code' in expected) codes.add(expected.code)
    expect(codes.size).toBeGreaterThan(15)
  })

  it('are told in a table', () => {
    expect(showMutationScore(score)).toMatch(/^mutation +broken +refused +valid\nheadsThatDoNotDivide +\d+ +\d+ +\d+\n[\s\S]*\nall +\d+ +\d+ \(100\.0%\) +\d+$/)
  })
})

describe('a checker that is at fault', () => {
  /** Attention that takes any number of heads; in all else the library's. */
  const careless = (config: { readonly numHeads: number }): AnyLayer => defineLayer('selfAttention', careless, [config], { config: { numHeads: config.numHeads }, scope: 'attn', check: () => undefined, forward: x => x })

  it('is found out where it lets a mutant pass', () => {
    const broken = of([5, 6], careless({ numHeads: 4 }))
    expect(disagreement({ model: broken, expected: expectedOf(broken)! })).toBe('should be headsDoNotSplit at attention, is [5,6]')
  })

  it('is found out where it tells the wrong place', () => {
    const broken = of([5, 6], residual(selfAttention({ numHeads: 4 })))
    expect(expectedOf(broken)).toEqual({ code: 'headsDoNotSplit', path: 'attention' })
    expect(disagreement({ model: broken, expected: { code: 'headsDoNotSplit', path: 'blocks.0 › attention' } })).toContain('is headsDoNotSplit at attention')
  })

  it('is found out where it refuses what is valid', () => {
    expect(disagreement({ model: of([5, 6], takeToken(9)), expected: { shape: [6] } })).toBe('should be [6], is noSuchToken at takeToken')
  })
})
