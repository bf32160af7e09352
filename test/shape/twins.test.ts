import { describe, expect, it } from 'vitest'
import { agree } from '../../src/shape/agree.js'
import { fieldNames } from '../../src/shape/fields.js'
import { convSize, divMod, isSize } from '../../src/shape/natural.js'
import { nearestSizes, pairOf, patchCount } from '../../src/shape/patches.js'
import { sentence, sentences, type SentenceCode } from '../../src/shape/sentence.js'
import { show, type SignalShape } from '../../src/shape/shape.js'
import { random } from '../random.js'
import { compile, exactlyHelper, scratch, showDiagnostic, versions } from '../types/compile.js'

/*
 * What src/shape says twice, once to the compiler and once at run time, is the same: one file of assertions,
 * each with the run-time twin's answer in it, goes to each compiler.
 */

const r = random(12)
const text = (value: string): string => JSON.stringify(value)

/** Something for each place of a sentence: sizes where a size belongs, words elsewhere. */
const fillings = (Object.keys(sentences) as SentenceCode[]).map(code => {
  const places = [...new Set([...sentences[code].matchAll(/\{(\w+)\}/g)].map(m => m[1]!))]
  return { code, filling: Object.fromEntries(places.map((place, i) => [place, /shape|layer|left|right|how|field|kind|before|after|expected/i.test(place) ? `${place} ${i}` : 3 + 7 * i])) }
})

const shapes: readonly (readonly [type: string, value: SignalShape])[] = [
  ['readonly []', []], ['readonly [5]', [5]], ['readonly [197, 192]', [197, 192]], ['readonly [1, 2, 3, 4]', [1, 2, 3, 4]],
  ['Integers<readonly [77]>', { integers: [77] }], ['Integers<readonly []>', { integers: [] }], ['Integers<readonly [2, 3]>', { integers: [2, 3] }],
]

const patches = Array.from({ length: 120 }, () => {
  const [size, patch] = [1 + r.below(300), 1 + r.below(40)]
  return { size, patch, stride: r.chance(0.4) ? patch : 1 + r.below(40) }
})

const records: readonly (readonly [string, ...string[]])[] = [['b', 'a'], ['right', 'left'], ['head', 'head_dist', 'Head'], ['x'], ['z', 'y', 'x', 'w', 'aa', 'a'], ['image', 'Text', 'a1', 'a10', 'a2', '$', '_']]

const pairs: readonly (readonly [string, SignalShape, string, SignalShape])[] = [
  ['readonly [3, 4]', [3, 4], 'readonly [3, 4]', [3, 4]],
  ['readonly [3, 4]', [3, 4], 'readonly [3, 5]', [3, 5]],
  ['readonly [3, 4]', [3, 4], 'readonly [3]', [3]],
  ['readonly []', [], 'readonly []', []],
  ['readonly [3]', [3], 'Integers<readonly [3]>', { integers: [3] }],
  ['Integers<readonly [3]>', { integers: [3] }, 'Integers<readonly [3]>', { integers: [3] }],
  ['Integers<readonly [3]>', { integers: [3] }, 'Integers<readonly [4]>', { integers: [4] }],
  ['{ readonly a: readonly [3] }', { a: [3] }, '{ readonly a: readonly [3] }', { a: [3] }],
  ['{ readonly a: readonly [3] }', { a: [3] }, '{ readonly a: readonly [4] }', { a: [4] }],
  ['{ readonly a: readonly [3] }', { a: [3] }, '{ readonly b: readonly [3] }', { b: [3] }],
  ['{ readonly a: readonly [3] }', { a: [3] }, 'readonly [3]', [3]],
  ['{ readonly a: { readonly b: Integers<readonly [3]> } }', { a: { b: { integers: [3] } } }, '{ readonly a: { readonly b: Integers<readonly [3]> } }', { a: { b: { integers: [3] } } }],
]

const assertions = (): readonly string[] => [
  ...fillings.map(({ code, filling }) => `exactly<Sentence<'${code}', { ${Object.entries(filling).map(([k, v]) => `${k}: ${JSON.stringify(v)}`).join('; ')} }>, ${text(sentence(code, filling))}>()`),
  ...shapes.map(([type, value]) => `exactly<Show<${type}>, ${text(show(value))}>()`),
  "exactly<Show<readonly [number, 192]>, '?×192'>()",
  "exactly<Show<readonly number[]>, '?'>()",
  ...patches.map(({ size, patch, stride }) => `exactly<PatchCount<${size}, ${patch}, ${stride}>, ${JSON.stringify(patchCount(size, patch, stride))}>()`),
  ...patches.filter(p => patchCount(p.size, p.patch, p.stride) === 'remainder').map(({ size, patch, stride }) => `exactly<NearestSizes<${size}, ${patch}, ${stride}>, ${text(nearestSizes(size, patch, stride))}>()`),
  'exactly<PatchCount<number, 16, 16>, number>()',
  'exactly<PatchCount<224, number, 8>, number>()',
  'exactly<HeightOf<16>, 16>()', 'exactly<WidthOf<16>, 16>()', 'exactly<HeightOf<readonly [16, 8]>, 16>()', 'exactly<WidthOf<readonly [16, 8]>, 8>()',
  ...records.map(names => `exactly<FieldNames<{ ${names.map(n => `${n}: 1`).join('; ')} }>, [${fieldNames(Object.fromEntries(names.map(n => [n, 1]))).map(text).join(', ')}]>()`),
  ...pairs.map(([a, x, b, y]) => `exactly<Agree<${a}, ${b}>, ${agree(x, y) ? a : 'never'}>()`),
  // Sizes not yet known agree with any, and what is known is kept.
  'exactly<Agree<readonly [16, number], readonly [number, 24]>, readonly [16, 24]>()',
  'exactly<Agree<readonly [16, number], readonly [17, number]>, never>()',
  'exactly<Agree<readonly number[], readonly [1, 2]>, readonly [1, 2]>()',
  'exactly<Agree<Integers<readonly [number]>, Integers<readonly [3]>>, Integers<readonly [3]>>()',
  "exactly<Within<'a', ShapeError<'s', 'leaf', 'r'>>, ShapeError<'s', 'a › leaf', 'r'>>()",
  "exactly<Within<'a', ShapeError<'s', 'b.c › leaf'>>, ShapeError<'s', 'a.b.c › leaf', string>>()",
  "exactly<Within<'', ShapeError<'s', 'leaf', ''>>, ShapeError<'s', 'leaf', ''>>()",
  "exactly<Within<'a', readonly [3]>, readonly [3]>()",
]

describe('what the compiler works out and what run time does are the same', () => {
  it.each(versions)('sentence by sentence, shape by shape, under TypeScript %s', async version => {
    const from = (file: string, ...names: readonly string[]): string => `import type { ${names.join(', ')} } from '../../../dist/src/shape/${file}.js'`
    const lines = [
      from('sentence', 'Sentence'), from('shape', 'Show', 'Integers'), from('patches', 'PatchCount', 'NearestSizes', 'HeightOf', 'WidthOf'), from('fields', 'FieldNames'), from('agree', 'Agree'), from('shapeError', 'Within', 'ShapeError'),
      ...exactlyHelper.trimEnd().split('\n'), ...assertions(),
    ]
    const { diagnostics } = await compile(version, scratch('twins', { [`twins-${version}.ts`]: `${lines.join('\n')}\n` }))
    expect(diagnostics.map(d => `${lines[d.line - 1]}: ${showDiagnostic(d)}`)).toEqual([])
  })

  it('the sentences fill all their places, and say what a person can read', () => {
    for (const { code, filling } of fillings) {
      expect(sentence(code, filling)).not.toMatch(/[{}]|undefined/)
        expect(sentence(code, filling)).toMatch(/^\w/)
    }
  })
})

describe('patches', () => {
  it('tile an axis exactly, or not at all', () => {
    for (const { size, patch, stride } of patches) {
      const count = patchCount(size, patch, stride)
      if (typeof count === 'number') expect(patch + (count - 1) * stride).toBe(size)
      else expect(count === 'large').toBe(size < patch)
    }
  })

  it('fit the sizes that a remedy names, which stand on both sides of the one that does not', () => {
    for (const { size, patch, stride } of patches.filter(p => patchCount(p.size, p.patch, p.stride) === 'remainder')) {
      const [low, high] = [...nearestSizes(size, patch, stride).matchAll(/\d+/g)].map(Number) as [number, number]
      expect([low < size, size < high, high - low]).toEqual([true, true, stride])
      expect([typeof patchCount(low, patch, stride), typeof patchCount(high, patch, stride)]).toEqual(['number', 'number'])
    }
  })

  it('may be as high as wide, or not', () => expect([pairOf(16), pairOf([16, 8])]).toEqual([[16, 16], [16, 8]]))
})

describe('sizes', () => {
  it('are whole numbers from 1 to 10^9', () => {
    expect([1, 16, 1e9].every(isSize)).toBe(true)
    expect([0, -1, 1.5, 1e9 + 1, NaN, Infinity, '16', null, undefined].some(isSize)).toBe(false)
  })

  it('divide with a remainder', () => expect(divMod(230, 16)).toEqual([14, 6]))

  it('of a window\'s positions are counted as by hand', () => {
    for (let n = 1; n < 12; n++)
      for (let k = 1; k < 7; k++)
        for (let s = 1; s < 4; s++)
          for (let p = 0; p < 3; p++) {
            let positions = 0
            for (let at = -p; at + k <= n + p; at += s) positions++
            expect(convSize(n, k, s, p)).toBe(positions === 0 ? undefined : positions)
          }
  })
})
