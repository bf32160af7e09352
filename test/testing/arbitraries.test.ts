import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pipe } from 'fp-ts/lib/function.js'
import { cost, gelu, identity, input, inputs, integerInput, linear, serial, trace, type AnyLayer, type AnyModel } from '../../src/index.js'
import { choice } from '../../src/layers/core/choice.js'
import { defineLayer } from '../../src/layers/core/layer.js'
import { architectures } from '../../src/testing/arbitraries/architectures.js'
import { choicesOf } from '../../src/testing/arbitraries/choices.js'
import { constructors } from '../../src/testing/arbitraries/constructors.js'
import { coverageGaps, coverageOf, showCoverage } from '../../src/testing/arbitraries/coverage.js'
import { drawSignal, drawValues, valueKinds } from '../../src/testing/arbitraries/drawValues.js'
import { grow, growLayer } from '../../src/testing/arbitraries/grow.js'
import { layersOn } from '../../src/testing/arbitraries/layersOn.js'
import { shapeAfter } from '../../src/testing/arbitraries/shapeAfter.js'
import { broadcastFamilies, headFactors, patchGrids, shapes } from '../../src/testing/arbitraries/sizes.js'
import { signalsOf, tensorsOf } from '../../src/testing/arbitraries/tensors.js'
import { toSource } from '../../src/testing/source/toSource.js'
import { layerNames } from '../layers/samples.js'

const seed = Number(process.env['VITRAIL_SEED'] ?? 1)
const many = <T>(count: number, make: (i: number) => T): readonly T[] => Array.from({ length: count }, (_, i) => make(i))
const kindsOf = (m: AnyModel): readonly string[] => m.layers.map(l => l.definition.kind)

const grown = many(400, i => grow(choicesOf(seed * 1000 + i)))

describe(`architectures (seed ${seed})`, () => {
  it('trace, in inference and in training, and are not empty', () => {
    expect(grown.filter(m => trace(m)._tag === 'Left' || trace(m, { mode: 'training' })._tag === 'Left' || m.layers.length === 0).map(m => toSource(m))).toEqual([])
  })

  it('are cheap', () => {
    const macs = grown.map(m => { const graph = trace(m); return graph._tag === 'Left' ? Infinity : cost(graph.right).macs.total })
    expect(Math.max(...macs)).toBeLessThanOrEqual(1e6)
  })

  it('are the same for the same seed, and differ for others', () => {
    expect(toSource(grow(choicesOf(seed * 1000 + 5)))).toBe(toSource(grown[5]!))
    expect(new Set(grown.map(m => toSource(m))).size).toBeGreaterThan(380)
  })

  it('begin with sizes that differ, but for squares', () => {
    const alike = grown.filter(({ input: spec }) => 'shape' in spec && new Set(spec.shape).size < spec.shape.length)
    expect(alike.length).toBeLessThan(grown.length / 8)
  })

  it('hold records, branches, blocks in windows and blocks given by a function', () => {
    const all = grown.map(m => toSource(m)).join('\n')
    for (const word of ['residual(', 'repeat(', 'fanOut(', 'parallel(', 'merge(', 'stages(', 'windows(', 'named(', 'tap(', 'when(', 'inputs(', 'index =>', 'windowAttention(']) expect(all).toContain(word)
  })

  it('begin on an input that is asked for, of layers that are asked for', () => {
    const asked = many(20, i => grow(choicesOf(i), { input: input(6, 12).input, layers: ['selfAttention', 'layerNorm', 'residual'] }))
    expect(asked.every(m => 'shape' in m.input && m.input.shape.join() === '6,12')).toBe(true)
    expect([...new Set(asked.flatMap(kindsOf))].sort()).toEqual(['layerNorm', 'residual', 'selfAttention'])
  })
})

describe('a layer that can be declared can be generated', () => {
  it('every layer of the listing says what its arguments may be', () => {
    expect(Object.keys(constructors).sort()).toEqual([...layerNames].sort())
    expect(Object.entries(constructors).filter(([, { arguments: described }]) => described === undefined).map(([name]) => name)).toEqual([])
  })

  it.each(layerNames)('%s comes up when it is wanted', name => {
    const found = many(6, i => grow(choicesOf(i), { favourite: name })).filter(m => kindsOf(m).includes(name))
    expect(found.length).toBeGreaterThanOrEqual(5)
  })

  it('in every class of its options, which the coverage table proves', () => {
    const models = [...grown]
    for (const name of layerNames) {
      const known = { [name]: constructors[name]! }
      // Layers with many options need more models; none needs hundreds. What stands first by nature (ids do) is put behind another.
      const isWanting = (): boolean => {
        const coverage = coverageOf(models, known)
        return coverageGaps(coverage, known).length > 0 || coverage.get(name)!.after.size < 2
      }
      for (let i = 0; i < 240 && (i < 12 || isWanting()); i += 12) models.push(...many(12, n => grow(choicesOf(seed * 9000 + i + n), i < 120 ? { favourite: name, depth: 2, nesting: 1 } : { layers: ['identity', name], depth: 4, nesting: 1 })))
    }
    const coverage = coverageOf(models)
    expect(coverageGaps(coverage)).toEqual([])
    expect(showCoverage(coverage)).toMatch(/^layer +times +options +comes after +stands in\nabsolutePositionEmbed +\d+ +0 of 0/)
    for (const name of layerNames) expect([name, coverage.get(name)!.after.size >= 2]).toEqual([name, true])
  })

  it('a table of little says what is missing', () => {
    const gaps = coverageGaps(coverageOf([grow(choicesOf(1), { layers: ['linear'], inputs: ['vector'], depth: 1 })]))
    expect(gaps).toContain('mbConv')
    expect(gaps.some(gap => gap.startsWith('linear bias'))).toBe(true)
    expect(gaps).not.toContain('linear')
  })
})

describe("a user's own layer", () => {
  const double = (): AnyLayer => defineLayer('double', double, [], { forward: x => x })
  const pick = (index: number): AnyLayer => defineLayer('pick', pick, [index], { check: (shape: readonly number[]) => (index < shape[0]! ? undefined : { code: 'no', sentence: 'pick: no', path: '' }), forward: x => x })

  it('is called with no arguments where it says nothing of them', () => {
    const made = many(30, i => grow(choicesOf(i), { own: { double: { make: double } }, favourite: 'double', layers: ['linear'] }))
    expect(made.every(m => kindsOf(m).includes('double'))).toBe(true)
  })

  it('is varied as its description says, within what it accepts', () => {
    const made = many(30, i => grow(choicesOf(i), { own: { pick: { make: pick, arguments: [choice.below('channels')] } }, favourite: 'pick', layers: ['linear'], inputs: ['vector'] }))
    const indices = made.flatMap(m => m.layers.filter(l => l.definition.kind === 'pick').map(l => l.definition.args[0]))
    expect(new Set(indices).size).toBeGreaterThan(3)
  })
})

describe('a layer for a signal', () => {
  it('fits it', () => {
    for (const signal of [[5, 6], [4, 6, 8], [7], { a: [3], b: [3] }, { integers: [5] }])
      for (let i = 0; i < 20; i++) {
        const layer = growLayer(choicesOf(i), signal)
        expect(layer === undefined || shapeAfter(layer, { signal }) !== undefined).toBe(true)
      }
  })

  it('comes from fast-check too, and shrinks to one that fits', () => {
    const run = fc.check(fc.property(layersOn([5, 12], { layers: ['encoderBlock', 'selfAttention', 'serial'] }), layer => !JSON.stringify(layer.definition.args).includes('numHeads')), { seed: 3 })
    expect(run.failed).toBe(true)
    expect(shapeAfter(run.counterexample![0], { signal: [5, 12] })).toEqual([5, 12])
    expect(Object.keys(run.counterexample![0].definition.args[0] as object)).toEqual(['numHeads'])
  })

  it('is the identity where none of those asked for fits', () => {
    expect(fc.sample(layersOn([5], { layers: ['flattenTokens'] }), { numRuns: 3, seed: 1 }).map(l => l.definition.kind)).toEqual(Array(3).fill(identity().definition.kind))
  })
})

describe('sizes', () => {
  const all = <T>(arbitrary: fc.Arbitrary<T>): readonly T[] => fc.sample(arbitrary, { numRuns: 200, seed })

  it('of heads multiply to the channels', () => expect(all(headFactors()).every(f => f.dim === f.numHeads * f.headDim)).toBe(true))

  it('of images divide into patches, and are no squares', () =>
    expect(all(patchGrids()).every(({ imageSize: [h, w], patchSize: [ph, pw], grid: [r, c] }) => h === ph * r && w === pw * c && h !== w)).toBe(true))

  it('of shapes are different primes', () => expect(all(shapes()).every(shape => new Set(shape).size === shape.length)).toBe(true))

  it('of a family broadcast as NumPy says', () => {
    for (const { shapes: family, result } of all(broadcastFamilies())) {
      const rank = Math.max(...family.map(shape => shape.length))
      const padded = family.map(shape => [...Array<number>(rank - shape.length).fill(1), ...shape])
      const expected = Array.from({ length: rank }, (_, axis) => { const sizes = new Set(padded.map(shape => shape[axis]!).filter(size => size !== 1)); expect(sizes.size).toBeLessThanOrEqual(1); return [...sizes][0] ?? 1 })
      expect(result).toEqual(expected)
    }
  })
})

describe('values', () => {
  const of = (kind: (typeof valueKinds)[number]): Float32Array => drawValues(choicesOf(5), 60, kind, 6)

  it('are of the kind that is asked for', () => {
    expect([...of('zeros')].every(v => v === 0)).toBe(true)
    expect([...of('denormals')].every(v => v !== 0 && Math.abs(v) < 2 ** -126)).toBe(true)
    expect(Math.max(...of('large').map(Math.abs))).toBeGreaterThan(5000)
    expect([...of('constantRows')].every((v, i, values) => v === values[i - (i % 6)])).toBe(true)
    expect([...of('sparse')].filter(v => v === 0).length).toBeGreaterThan(30)
    expect([...of('ordinary')].every(v => v >= -1 && v < 1)).toBe(true)
  })

  it('for an input have its length times the batch, and tokens that a table has', () => {
    const fed = drawSignal(choicesOf(1), inputs({ a: input(2, 3), b: integerInput(5) }).input, { batch: 2 }) as Readonly<Record<string, Float32Array>>
    expect([fed['a']!.length, fed['b']!.length]).toEqual([12, 10])
    expect([...fed['b']!].every(id => id >= 0 && id < 7)).toBe(true)
  })

  it('come in every kind from fast-check, and shrink to zeros where they do not matter', () => {
    const run = fc.check(fc.property(tensorsOf([4, 3], { batch: 2, kinds: ['ordinary'] }), values => values[17]! <= 0), { seed: 2 })
    expect([...run.counterexample![0]].map((v, i) => (v === 0 ? 0 : i))).toEqual(many(24, i => (i === 17 ? 17 : 0)))
    expect(fc.sample(signalsOf(integerInput(3).input), { numRuns: 20, seed }).every(ids => ids instanceof Int32Array && ids.length === 3)).toBe(true)
  })
})

describe('fast-check', () => {
  it('draws architectures that trace, the same for a seed', () => {
    const drawn = (): readonly string[] => fc.sample(architectures({ depth: 3 }), { numRuns: 30, seed }).map(m => toSource(m))
    expect(drawn()).toEqual(drawn())
    fc.assert(fc.property(architectures({ depth: 3 }), m => trace(m)._tag === 'Right'), { seed, numRuns: 50 })
  })

  it('shrinks a model that it did not draw', () => {
    const model: AnyModel = pipe(input(7, 12), serial(gelu(), linear(6)), gelu())
    const run = fc.check(fc.property(architectures(), m => !toSource(m).includes('linear(')), { seed, numRuns: 1, examples: [[model]] })
    expect(toSource(run.counterexample![0]!, { imports: false })).toBe('export const model = pipe(\n  input(1),\n  linear(1),\n)\n')
  })
})
