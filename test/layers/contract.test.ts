import { describe, expect, it } from 'vitest'
import { print } from '../../src/graph/print.js'
import { parametersOf, type Graph } from '../../src/graph/graph.js'
import { shapeOf, trace } from '../../src/graph/trace.js'
import * as vitrail from '../../src/index.js'
import type { Signal, Tensor } from '../../src/ops/tensor.js'
import { validate } from '../../src/graph/validate.js'
import { exportedValues, sources } from '../conventions/sources.js'
import { apply, evaluate, layerNames, samples, type Sample } from './samples.js'

const traced = (model: vitrail.AnyModel | vitrail.Model<unknown, unknown>, mode: vitrail.Mode = 'inference'): Graph => {
  const found = trace(model as vitrail.AnyModel, { mode })
  if (found._tag === 'Left') throw new Error(vitrail.showProblem(found.left))
  return found.right
}
const roots = (graph: Graph): readonly Signal[] => [graph.output]
const masks = (graph: Graph): readonly Tensor<'dropMask'>[] => graph.nodes.filter((n): n is Tensor<'dropMask'> => n.op === 'dropMask')
const printed = (sample: Pick<Sample, 'before' | 'layer'>, mode?: vitrail.Mode): string => print(roots(traced(apply(sample), mode)))

/** Everything a layer can be given: it may fit or not, but it may not throw. */
const anything = ['input()', 'input(8)', 'input(1)', 'input(5, 8)', 'input(1, 1)', 'input(6, 9, 4)', 'input(2, 3, 4, 5)', 'integerInput(5)', 'integerInput(5, 8)', 'inputs({})', 'inputs({ a: input(5, 8), b: integerInput(5) })', 'inputs({ length: input(3), shape: input(2) })']

describe('every layer of the listing', () => {
  it.each(layerNames)('%s is here to be looked at', name => {
    expect(samples.filter(s => s.name === name).length).toBeGreaterThan(0)
    expect(name in vitrail).toBe(true)
  })
})

describe.each(samples.map(s => [s.text, s] as const))('%s', (_, sample) => {
  const { name, before, layer } = sample

  it('traces to a legal graph', () => {
    expect(validate(roots(traced(apply(sample))))).toEqual([])
    expect(shapeOf(apply(sample))._tag).toBe('Right')
  })

  it('traces to a legal graph in training too', () => {
    expect(validate(roots(traced(apply(sample), 'training')))).toEqual([])
    expect(shapeOf(apply(sample))).toEqual({ _tag: 'Right', right: shapeOf(apply(sample))._tag === 'Right' ? expect.anything() : undefined })
  })

  it('is frozen, with all that describes it', () => {
    expect([layer, layer.definition, layer.definition.args, layer.definition.config].map(Object.isFrozen)).toEqual([true, true, true, true])
    expect(layer.definition.kind).toBe(name)
  })

  it('is the same every time it is traced', () => {
    expect(printed(sample)).toBe(printed(sample))
    expect(printed(sample, 'training')).toBe(printed(sample, 'training'))
  })

  it('can be rebuilt from its constructor and its arguments', () => {
    const { make, args } = layer.definition
    const rebuilt = make(...(args as readonly never[]))
    expect(rebuilt.definition.config).toEqual(layer.definition.config)
    expect(printed({ before, layer: rebuilt })).toBe(printed(sample))
    expect(printed({ before, layer: rebuilt }, 'training')).toBe(printed(sample, 'training'))
  })

  it('is itself after mapLayer with a function that changes nothing', () => {
    expect(printed({ before, layer: vitrail.mapLayer(layer, l => l) }, 'training')).toBe(printed(sample, 'training'))
  })

  it('drops nothing in inference, and in training from streams of its own', () => {
    expect(masks(traced(apply(sample)))).toEqual([])
    const placed = masks(traced(apply({ before, layer: vitrail.named('here', layer) }), 'training')).map(m => m.attributes.stream)
    expect(placed.filter(stream => !(stream === 'here' || stream.startsWith('here.')))).toEqual([])
    expect(new Set(placed).size).toBe(placed.length)
    const rates = Object.entries(layer.definition.config).filter(([key, value]) => /^(rate|\w*[dD]rop(out|Path)?)$/.test(key) && typeof value === 'number' && value > 0)
    expect(placed.length).toBeGreaterThanOrEqual(rates.length)
    for (const [, rate] of rates) expect(masks(traced(apply(sample), 'training')).map(m => m.attributes.keep)).toContainEqual(1 - (rate as number))
  })

  it('has its parameters where its name says', () => {
    const own = new Set(parametersOf(traced(before)).map(p => p.attributes.name))
    const names = parametersOf(traced(apply({ before, layer: vitrail.named('here', layer) }))).map(p => p.attributes.name).filter(n => !own.has(n))
    expect(names.filter(n => !n.startsWith('here.'))).toEqual([])
  })

  it('fits what it is given or says why not, whatever that is', () => {
    for (const text of anything) {
      const found = shapeOf(apply({ before: evaluate(text) as vitrail.Model<unknown, unknown>, layer }))
      if (found._tag === 'Right') continue
      expect([text, found.left.code, found.left.sentence, found.left.path]).toEqual([text, expect.stringMatching(/^\w+$/), expect.stringMatching(/^\S.*\S$/), expect.stringMatching(/\w/)])
      expect([text, found.left.code]).not.toEqual([text, 'faultyLayer'])
    }
  })
})

// ── options the compiler cannot see ─────────────────────────────────────────────────────────────────

/** What a recipe in JSON may give for any option. */
const odd: readonly unknown[] = [null, -3, 0, 0.5, NaN, 1e300, 'x', '', true, {}, [], [2], [2, 2, 2], [null, 1], [-2, -3], [[1], [2]]]

it.each(samples.map(s => [s.text, s] as const))('whatever its options are, fits or says why not: %s', (_, { before, layer }) => {
  const { make, args, config } = layer.definition
  const at = args.findIndex(arg => typeof arg === 'object' && arg !== null && !Array.isArray(arg) && !Object.values(arg).some(vitrail.isLayer))
  const options = at < 0 ? [] : Object.keys(config).flatMap(key => odd.map(value => args.map((arg, i) => (i === at ? { ...(arg as object), [key]: value } : arg))))
  const others = args.flatMap((arg, i) => (i === at || vitrail.isLayer(arg) || typeof arg === 'function' ? [] : odd.map(value => args.map((old, j) => (j === i ? value : old)))))
  for (const given of [...options, ...others]) {
    const made = attempt(() => make(...(given as never[])))
    if (made === undefined) continue
    for (const mode of ['inference', 'training'] as const) {
      const found = trace(apply({ before, layer: made }) as unknown as vitrail.AnyModel, { mode })
      expect([given, found._tag === 'Left' ? found.left.code : '']).not.toEqual([given, 'faultyLayer'])
    }
  }
})

/** What cannot even be made is refused by `fromJson` (see there). */
function attempt(make: () => vitrail.AnyLayer): vitrail.AnyLayer | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

it.each([
  ["pipe(input(5, 8), tokenDropout(0.1, { prefixTokens: -3 }))", 'tokenDropout: prefixTokens must be a whole number from 0, got -3'],
  ["pipe(input(5, 8), tokenDropout(0.1, { prefixTokens: 0.5 }))", 'tokenDropout: prefixTokens must be a whole number from 0, got 0.5'],
  ["pipe(input(5, 8), globalPool({ prefixTokens: -1 }))", 'globalPool: prefixTokens must be a whole number from 0, got -1'],
  ["pipe(input(4, 4, 8), windows({}, relu()))", 'windows: windowSize must be one number or two, [height, width], got undefined'],
  ["pipe(input(4, 4, 8), windows({ windowSize: [2, 2, 2] }, relu()))", 'windows: windowSize must be one number or two, [height, width], got [2, 2, 2]'],
  ["pipe(input(4, 4, 8), windows({ windowSize: 2, shift: [1] }, relu()))", 'windows: shift must be one number or two, [height, width], got [1]'],
  ["pipe(input(4, 4, 8), expectWindows({}))", 'expectWindows: windowSize must be one number or two, [height, width], got undefined'],
  ["pipe(input(4, 4, 8), patchEmbed({ patchSize: [2, 2, 2], dim: 8 }))", 'patchEmbed: patchSize must be one number or two, [height, width], got [2, 2, 2]'],
  ["pipe(input(4, 8), positionEmbed({ kind: 'learned2d', grid: [2] }))", 'positionEmbed: grid must be two numbers, [rows, columns], got [2]'],
  ["pipe(input(4, 8), gatedPositionalAttention({ numHeads: 2, grid: 4 }))", 'gatedPositionalAttention: grid must be two numbers, [rows, columns], got 4'],
  ["pipe(input(4, 8), gelu({ form: 'x' }))", "gelu: form must be one of 'erf', 'tanh', 'quick', got x"],
  ["pipe(inputs({ x: input(4, 8), memory: input(3, 8) }), crossAttention({ numHeads: 2, naming: 'q' }))", "crossAttention: naming must be one of 'torch', 'q,kv', 'q,k,v', got q"],
  ["pipe(input(4, 8), layerNorm({ epsilon: -1 }))", 'layerNorm: epsilon must be a finite number from 0, got -1'],
  ["pipe(input(4, 8), rmsNorm({ epsilon: NaN }))", 'rmsNorm: epsilon must be a finite number from 0, got NaN'],
  ["pipe(input(4, 8), batchNorm({ epsilon: 'x' }))", 'batchNorm: epsilon must be a finite number from 0, got x'],
  ["pipe(input(4, 8), batchNorm({ momentum: Infinity }))", 'batchNorm: momentum must be a finite number from 0, got Infinity'],
  ["pipe(input(4, 8), groupNorm({ numGroups: 2, epsilon: null }))", 'groupNorm: epsilon must be a finite number from 0, got null'],
  ["pipe(input(4, 8), encoderBlock({ numHeads: 2, epsilon: -1 }))", 'encoderBlock: epsilon must be a finite number from 0, got -1'],
  ["pipe(input(4, 8), selfAttention({ numHeads: 2, epsilon: -1 }))", 'attention: epsilon must be a finite number from 0, got -1'],
  ["pipe(input(4, 8), windowAttention({ numHeads: 2, scale: 'x' }))", 'attention: scale must be a finite number from 0, got x'],
  ["pipe(input(), softmax())", 'softmax: expects at least a channel axis, got a single number'],
  ["pipe(input(4, 8), repeat(1e9, gelu()))", 'repeat: 1000000000 blocks are more than the 10000 it takes'],
  ['pipe(input(4, 8), fanOut(null))', 'fanOut: expects layers by name, { name: layer, … }, got null'],
  ['pipe(inputs({ a: input(4) }), parallel(3))', 'parallel: expects layers by name, { name: layer, … }, got 3'],
  ["pipe(input(4, 8), fanOut({ integers: gelu() }))", "fanOut: no field can be called 'integers', which says what tensors hold"],
  ["pipe(input(4, 8), fanOut({ 'a.b': gelu() }))", "fanOut: 'a.b' is no name of a field; use letters, digits and underscores"],
])('%s is refused', (text, sentence) => {
  const found = shapeOf(evaluate(text) as vitrail.Model<unknown, unknown>)
  expect(found._tag === 'Left' ? found.left.sentence : '').toBe(sentence)
})

// ── what doc comments say of parameters ─────────────────────────────────────────────────────────────

const docs = new Map(sources('src/layers').flatMap(exportedValues).map(({ name, doc }) => [name, doc] as const))

/** Parameters a doc comment names, with their sizes where it gives them: `weight [dim, in]`. */
const documented = (doc: string): ReadonlyMap<string, string | undefined> =>
  new Map([...doc.replace(/\s*\n\s*/g, ' ').matchAll(/`([A-Za-z_][\w.]*)(?: \[([^\]]*)\])?`/g)].map(([, name, sizes]) => [name!, sizes]))

/** The sizes a doc comment's names stand for: the layer's options by their names, `in` and `dim` the channels before and after. */
const sizesOf = (text: string, sample: Sample): readonly number[] | undefined => {
  const { layer, before } = sample
  const tensor = (model: vitrail.Model<unknown, unknown>): readonly number[] => {
    const found = shapeOf(model)
    return found._tag === 'Right' && Array.isArray(found.right) ? (found.right as readonly number[]) : []
  }
  const shape = tensor(before)
  const config = Object.fromEntries(Object.entries(layer.definition.config).filter(([, value]) => value !== undefined)) as Readonly<Record<string, number | readonly [number, number]>>
  const patch = config['patchSize']
  const pair = typeof patch === 'number' ? [patch, patch] : patch
  let seen = 0
  const known: Readonly<Record<string, unknown>> = { in_: shape.at(-1), dim: tensor(apply(sample)).at(-1), channels: shape.at(-1), tokens: shape[0], ...config }
  return text.split(',').map(size => {
    const expression = size.trim().replaceAll('·', '*').replaceAll('−', '-').replace(/\bin\b/g, 'in_')
    // Both sides of a patch are called `patch`: the first is its height.
    const value = new Function('scope', `with (scope) { try { return ${expression} } catch { return NaN } }`)({ ...known, patch: pair?.[seen] }) as number
    if (expression === 'patch') seen++
    return value
  })
}

describe('what a doc comment says of parameters', () => {
  const withParameters = samples.filter(s => Object.keys(own(s)).length > 0)

  function own({ layer, before }: Sample): Readonly<Record<string, readonly number[]>> {
    const theirs = new Set(parametersOf(traced(before)).map(p => p.attributes.name))
    const all = parametersOf(traced(apply({ before, layer: vitrail.named('here', layer) })))
    return Object.fromEntries(all.filter(p => !theirs.has(p.attributes.name)).map(p => [p.attributes.name.slice('here.'.length), p.shape]))
  }
  /** Layers whose parameters are those of the layers inside them. */
  const holdsOthers = (s: Sample): boolean => s.layer.definition.args.some(arg => vitrail.isLayer(arg) || typeof arg === 'function' || (typeof arg === 'object' && arg !== null && Object.values(arg).some(vitrail.isLayer)))

  it.each(withParameters.filter(s => !holdsOthers(s)).map(s => [s.text, s] as const))('names each, and gives it the shape it has: %s', (_, sample) => {
    const told = documented(docs.get(sample.name)!)
    for (const [name, shape] of Object.entries(own(sample))) {
      // Told in full, as the place of several (`norm1`), or with the end of the layer's own scope (`proj.weight`, under `patch_embed`).
      const words = `${sample.layer.definition.scope}.${name}`
      const word = [...told.keys()].find(w => w === name) ?? [...told.keys()].find(w => name.startsWith(`${w}.`)) ?? [...told.keys()].find(w => w.includes('.') && words.endsWith(`.${w}`))
      expect([name, word]).toEqual([name, expect.any(String)])
      const sizes = told.get(word!)
      if (sizes === undefined || name.startsWith(`${word!}.`)) continue
      const expected = sizesOf(sizes, sample)!
      if (expected.length !== shape.length) {
        const others = [...docs.get(sample.name)!.matchAll(/`\[([^\]]*)\]`/g)].map(m => m[1]!.split(',').length)
        expect([name, others]).toEqual([name, expect.arrayContaining([shape.length])])
        continue
      }
      // A size the test cannot work out from the layer's own words is not compared.
      expect([name, shape]).toEqual([name, expected.map((size, i) => (Number.isFinite(size) ? size : shape[i]))])
    }
  })
})
