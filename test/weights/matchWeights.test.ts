import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { matchWeights, type ExpectedWeight } from '../../src/weights/matchWeights.js'
import { left } from './safetensorsFile.js'

const model: readonly ExpectedWeight[] = [
  { name: 'pos_embed', shape: [1, 577, 192] },
  { name: 'blocks.0.norm1.weight', shape: [192] },
  { name: 'head.weight', shape: [10, 192] },
  { name: 'head.bias', shape: [10] },
]
const checkpoint = (changes: Readonly<Record<string, readonly number[] | undefined>> = {}): ReadonlyMap<string, { shape: readonly number[] }> => {
  const all = { ...Object.fromEntries(model.map(({ name, shape }) => [name, shape])), ...changes }
  return new Map(Object.entries(all).flatMap(([name, shape]) => (shape === undefined ? [] : [[name, { shape }] as const])))
}

describe('matching a checkpoint with a model', () => {
  it('gives the names in the model\'s order when everything fits', () => {
    const shuffled = new Map([...checkpoint()].reverse())
    expect(matchWeights(model, shuffled)).toEqual(E.right(model.map(({ name }) => name)))
  })

  it('reports everything at once', () => {
    const found = left(matchWeights(model, checkpoint({
      'head.bias': undefined, 'blocks.0.norm1.weight': [384], 'blocks.0.norm3.weight': [192],
    })))
    expect(found).toMatchObject({
      code: 'weightsMisfit',
      sentence: 'the checkpoint does not fit the model: 1 missing ("head.bias"); 1 unexpected ("blocks.0.norm3.weight"); ' +
        '1 of another shape ("blocks.0.norm1.weight" [384] instead of [192])',
      expected: '"head.bias" [10]\n"blocks.0.norm1.weight" [192]',
      actual: '"blocks.0.norm3.weight" [192]\n"blocks.0.norm1.weight" [384]',
    })
    expect(found.remedy).toBeUndefined()
  })

  it('names a dozen and lists all', () => {
    const many = Array.from({ length: 30 }, (_, i): ExpectedWeight => ({ name: `w${i}`, shape: [i] }))
    const found = left(matchWeights(many, new Map()))
    expect(found.sentence).toMatch(/30 missing \("w0", .*"w11", and 18 more\)$/)
    expect(found.sentence).not.toContain('w12')
    expect(found.expected?.split('\n').length).toBe(30)
  })

  it('tells a transposed shape and another rank from the right one', () => {
    for (const shape of [[192, 10], [10, 192, 1], [], [10]]) {
      expect(left(matchWeights(model, checkpoint({ 'head.weight': shape }))).sentence).toContain('1 of another shape')
    }
  })

  it('leaves ignored names alone on both sides', () => {
    const ignore = (name: string): boolean => name.startsWith('head.') || name === 'step'
    const found = matchWeights(model, checkpoint({ 'head.weight': [1000, 192], 'head.bias': undefined, step: [] }), { ignore })
    expect(found).toEqual(E.right(['pos_embed', 'blocks.0.norm1.weight']))
  })

  it.each<readonly [string, Parameters<typeof checkpoint>[0], RegExp]>([
    ['another image size', { pos_embed: [1, 197, 192] },
      /^pos_embed was made for another image size \(a 14×14 grid and 1 prefix token, the model has a 24×24 grid and 1 prefix token\): resize it with resizePositions, or build/],
    ['another number of classes', { 'head.weight': [1000, 192], 'head.bias': [1000] },
      /^head\.weight was trained for 1000 classes, the model has 10: build it with numClasses: 1000/],
    ['both', { pos_embed: [1, 197, 192], 'head.weight': [1000, 192], 'head.bias': [1000] }, /resizePositions.*; head\.weight was trained for 1000 classes/],
    ['another head', { 'head.weight': [10, 384] }, /^head\.weight was trained for another head/],
    ['a checkpoint without a head', { 'head.weight': undefined, 'head.bias': undefined }, /^only the head is missing/],
    ['a head too many', { 'head_dist.weight': [10, 192] }, /^only a head is left over/],
    ['names too many', { 'ema.step': [] }, /^the model is complete without/],
  ])('suggests a way out for %s', (_, changes, remedy) => {
    expect(left(matchWeights(model, checkpoint(changes))).remedy).toMatch(remedy)
  })

  it('suggests to strip or add a prefix that all names share', () => {
    const prefixed = new Map([...checkpoint()].map(([name, entry]) => [`module.${name}`, entry]))
    expect(left(matchWeights(model, prefixed)).remedy).toBe('the names in the checkpoint begin with "module.": strip it')
    const inner = model.map(({ name, shape }) => ({ name: `backbone.${name}`, shape }))
    expect(left(matchWeights(inner, checkpoint())).remedy).toBe('the names in the checkpoint lack the prefix "backbone.": add it')
  })
})
