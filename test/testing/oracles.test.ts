import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { reference } from '../../src/backends/reference/index.js'
import { compare } from '../../src/cli/parts/compare.js'
import { evenBatches, ownSamples } from '../../src/cli/parts/evenBatches.js'
import { layouts } from '../../src/cli/parts/layouts.js'
import { openRecording, type Recording } from '../../src/cli/parts/recording.js'
import { input, integerInput, layerNorm, linear, mlp, ops, repeat, residual, selfAttention, serial, takeToken, trace, windows, type AnyLayer, type AnyModel, type Shape } from '../../src/index.js'
import { defineLayer, type Context } from '../../src/layers/core/layer.js'
import { model, type InputSpec } from '../../src/layers/core/model.js'
import * as listing from '../../src/layers/index.js'
import { isTensor, type Signal, type Tensor } from '../../src/ops/tensor.js'
import type { Numbers } from '../../src/testing/oracles/numbers.js'
import type { Values } from '../../src/testing/oracles/oracle.js'
import { oracleOf } from '../../src/testing/oracles/oracleOf.js'
import { oracles } from '../../src/testing/oracles/oracles.js'
import { runOracle, type OracleInput } from '../../src/testing/oracles/runOracle.js'
import { formulaWeights } from '../../src/weights/formulaWeights.js'
import { evaluate, layerNames, samples, apply } from '../layers/samples.js'
import { problemOf, valueOf } from '../support/either.js'

const isNumbers = (x: Values): x is Numbers => x.data instanceof Float64Array

/** The largest difference, relative to the largest element where that exceeds 1. */
const distance = (ours: ArrayLike<number>, theirs: ArrayLike<number>): number => {
  if (ours.length !== theirs.length) return Infinity
  const largest = Array.from(theirs).reduce((most, y) => Math.max(most, Math.abs(y)), 1)
  return Array.from(ours).reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i]!) / largest), 0)
}

it('every layer of the listing has an oracle, and nothing else has one', () => {
  const all = listing as Readonly<Record<string, unknown>>
  expect(layerNames.filter(name => !oracles.has(all[name]))).toEqual([])
  expect([...oracles.keys()].filter(make => !Object.values(all).includes(make))).toEqual([])
  expect(oracleOf(linear(3))).toBe(oracles.get(linear))
})

it('a layer of a user has none, even under the name of one of ours', () => {
  const own = (): AnyLayer => defineLayer('linear', own, [], { forward: x => x })
  expect(oracleOf(own())).toBeUndefined()
})

/** What PyTorch computes, recorded by the scripts in test/fixtures/layers. */
interface Recorded {
  readonly layer: string
  readonly input: Shape
  readonly integers: boolean
  readonly x: readonly number[]
  readonly weights: Readonly<Record<string, { readonly shape: Shape; readonly data: readonly number[] }>>
  readonly shape: Shape
  readonly y: readonly number[]
}
const folder = new URL('../fixtures/layers/', import.meta.url)
const recorded = readdirSync(folder).filter(file => file.endsWith('.json')).flatMap(file => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly Recorded[])

describe('an oracle computes what PyTorch does', () => {
  it.each(recorded.map(r => [`${r.layer} of ${r.input.join('×')}`, r] as const))('%s', (_, { layer, input: shape, integers, weights, x, y, shape: out }) => {
    const before = (integers ? integerInput(...shape) : input(...shape)) as unknown as AnyModel
    const built = model<never, unknown>(before.input, [evaluate(layer) as AnyLayer])
    const { output, unread } = valueOf(runOracle(built, new Map(Object.entries(weights).map(([name, { data }]) => [name, data])), x))
    expect(isNumbers(output) && output.shape.slice(1)).toEqual(out)
    // Both sides in double precision; the recorded numbers were rounded to nine digits.
    expect(distance((output as Numbers).data, y)).toBeLessThan(1e-8)
    expect(unread).toEqual([])
  })
})

const recordings = readdirSync('test/fixtures/recordings').sort().flatMap(family => readdirSync(`test/fixtures/recordings/${family}`).sort().map(file => `test/fixtures/recordings/${family}/${file}`)).filter(file => !file.includes('.grad'))

const fileNumbers = async ({ recorded, graph }: Recording): Promise<ReadonlyMap<string, ArrayLike<number>>> =>
  new Map(await Promise.all(graph.parameters.map(async ({ attributes: { name } }) => [name, valueOf(await recorded.read(name)()).data] as const)))

/** What was recorded as `@in/x`, or as `@in/NAME` for the fields of a record. */
const fileInput = async ({ recorded }: Recording, spec: InputSpec, name = 'x'): Promise<OracleInput> => {
  if ('fields' in spec) return Object.fromEntries(await Promise.all(Object.entries(spec.fields).map(async ([field, inner]) => [field, await fileInput({ recorded } as Recording, inner, field)] as const)))
  const { data, shape } = valueOf(await recorded.read(`@in/${name}`)())
  return layouts.ours(data, shape, spec.shape)!
}

describe('whole models by oracles alone reproduce what the reference implementations recorded', () => {
  it.each(recordings)('%s', async file => {
    const recording = valueOf(await openRecording(file)())
    const { replica, recorded: stored, graph } = recording
    const even = evenBatches(await fileInput(recording, replica.model.input), replica.model.input)
    const { output, features, unread } = valueOf(runOracle(replica.model, await fileNumbers(recording), even.values as OracleInput))
    const computed = replica.computed?.(graph, even.samples) ?? {}
    const known = new Map<string, Values>([...features, ...(isNumbers(output) ? [['logits', output] as const] : Object.entries(output))])
    const results = await Promise.all([...stored.tensors.keys()].filter(key => /^@(out|feat)\//.test(key)).map(async key => {
      const name = key.slice(key.indexOf('/') + 1)
      const ours = known.get(key.startsWith('@out/') ? (replica.outputs[name] ?? name) : name)
      // Inside composite layers an oracle has no inner outputs, and tables are none.
      if (ours === undefined || !isNumbers(ours)) return { key, found: false, maxAbs: 0 }
      // Towers may have been given different numbers of samples.
      const signal = graph.features.get(name) ?? (isTensor(graph.output) ? graph.output : graph.output[name])
      const count = signal !== undefined && isTensor(signal) ? ownSamples(signal, even) : even.batch
      const [shape, data] = ours.shape[0] === even.batch ? [[count, ...ours.shape.slice(1)], ours.data.slice(0, (ours.data.length / even.batch) * count)] : [ours.shape, ours.data]
      const { comparison } = compare({ shape, values: data as unknown as Float32Array }, valueOf(await stored.read(key)()), 5e-6)
      return { key, found: true, maxAbs: comparison.ok ? 0 : (comparison.maxAbs ?? Infinity) }
    }))
    expect(results.filter(r => r.maxAbs > 0)).toEqual([])
    expect(results.filter(r => r.found).length).toBeGreaterThanOrEqual(2)
    expect(results.filter(r => !r.found && /^@out\/(logits|tokens|features)/.test(r.key) && !Object.hasOwn(computed, r.key.slice('@out/'.length)))).toEqual([])
    expect(unread).toEqual([])
    await recording.close()
  })
})

/** The same numbers to the definition of a model and to the library. */
const bothWays = async (built: AnyModel, batch: number, salt: string) => {
  const graph = valueOf(trace(built))
  const weights = new Map(graph.parameters.map(({ attributes: { name }, shape }) => [name, formulaWeights(name, shape, name.endsWith('running_var') ? 1 : 0.1, 0.5, salt)]))
  const fed = (spec: AnyModel['input'], name: string): never => {
    if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([field, inner]) => [field, fed(inner, `${name}.${field}`)])) as never
    const drawn = formulaWeights(name, [batch, ...spec.shape], 0, 1, salt)
    return (spec.dtype === 'int32' ? Int32Array.from(drawn, v => Math.floor((v + 1) * 3)) : drawn) as never
  }
  const x = fed(built.input, 'x')
  const program = valueOf(await compile(built, { backend: reference, weights })())
  const ran = valueOf(await program.run(x)()) as unknown
  program.dispose()
  return { oracle: valueOf(runOracle(built, weights, x)).output, ran }
}

const farthest = (ours: unknown, theirs: Values): number =>
  isNumbers(theirs) ? distance(ours as Float32Array, theirs.data) : Math.max(...Object.entries(theirs).map(([name, field]) => farthest((ours as Readonly<Record<string, unknown>>)[name], field)))

const sizeOfSample = ({ before, layer }: (typeof samples)[number]): number => {
  const graph = trace(apply({ before, layer }) as AnyModel)
  return graph._tag === 'Left' ? Infinity : graph.right.nodes.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0)
}

describe('an oracle and its layer agree', () => {
  it.each(samples.filter(sample => sizeOfSample(sample) < 20_000).map(sample => [sample.text, sample] as const))('%s', async (text, sample) => {
    const { oracle, ran } = await bothWays(apply(sample) as AnyModel, 2, text)
    expect(farthest(ran, oracle)).toBeLessThan(1e-6)
  })
})

describe('an oracle sees what is wrong with a layer', () => {
  /** A layer whose arguments, weights and place are those of another, but whose values are not. */
  const faulty = (layer: AnyLayer, forward: (x: Tensor, context: Context) => Signal): AnyLayer => {
    const { kind, make, args, ...parts } = layer.definition
    return defineLayer(kind, make, args, { ...parts, check: shape => parts.check(shape as never), parameters: shape => parts.parameters(shape as never), forward })
  }
  const cases: readonly (readonly [string, string, AnyLayer])[] = [
    ['a residual that forgets what came', 'input(5, 8)', faulty(residual(linear(8)), (x, { apply }) => apply(linear(8), x))],
    ['a norm that forgets its shift', 'input(5, 8)', faulty(layerNorm(), (x, { parameters }) => ops.multiply(ops.layerNorm(x, 1e-6), parameters['weight']!))],
    ['another token than the one asked for', 'input(5, 8)', faulty(takeToken(1), x => ops.reshape(ops.slice(x, [2, 0], [1, 8]), [8]))],
    ['a network without its activation', 'input(5, 8)', faulty(mlp(), (x, { apply }) => apply(linear(8), apply(linear(32), x, 'fc1'), 'fc2'))],
    ['windows that are never shifted', 'input(4, 4, 8)', faulty(windows({ windowSize: 2, shift: 1 }, selfAttention({ numHeads: 2 })), (x, { apply }) => apply(windows({ windowSize: 2 }, selfAttention({ numHeads: 2 })), x, ''))],
    ['blocks that stop one early', 'input(5, 8)', faulty(repeat(3, linear(8)), (x, { apply }) => apply(linear(8), apply(linear(8), x, '0'), '1'))],
  ]
  it.each(cases)('%s', async (_, before, layer) => {
    const built = model<never, unknown>((evaluate(before) as AnyModel).input, [layer])
    const told = await bothWays(built, 1, 'faulty').catch((fault: Error) => fault.message)
    if (typeof told === 'string') expect(told).toContain('no such weight')
    else expect(farthest(told.ran, told.oracle)).toBeGreaterThan(1e-3)
  })
})

describe('a layer without an oracle', () => {
  const ownBlock = (): AnyLayer =>
    defineLayer('ownBlock', ownBlock, [], {
      scope: 'own',
      parameters: shape => ({ gain: { shape: [shape.at(-1)!], initialiser: { kind: 'ones' } } }),
      forward: (x, { apply, parameters }) => ops.add(apply(linear(x.shape.at(-1)!), apply(linear(3), x)) as Tensor, ops.multiply(x, parameters['gain']!)),
    })

  it.each([['by itself', 'input(5, 8)', ownBlock()], ['twice in one scope', 'input(8)', serial(ownBlock(), ownBlock())], ['in shifted windows', 'input(4, 4, 8)', windows({ windowSize: 2, shift: 1 }, serial(ownBlock(), selfAttention({ numHeads: 2 })))]] as const)('is run by its own ops, %s', async (_, before, layer) => {
    const { oracle, ran } = await bothWays(model<never, unknown>((evaluate(before) as AnyModel).input, [layer]), 2, 'own')
    expect(farthest(ran, oracle)).toBeLessThan(1e-6)
  })
})

describe('what does not fit is a problem', () => {
  const two = model<never, unknown>({ shape: [2], dtype: 'float32' }, [linear(3)])

  it('a weight that is missing, or of another size', () => {
    expect(problemOf(runOracle(two, new Map([['linear.weight', new Float32Array(6)]]), [1, 2]))).toMatchObject({ code: 'oracleMisfit', path: 'linear.bias' })
    expect(problemOf(runOracle(two, new Map([['linear.weight', new Float32Array(5)], ['linear.bias', new Float32Array(3)]]), [1, 2]))).toMatchObject({ code: 'oracleMisfit', path: 'linear.weight' })
  })

  it('inputs that are no whole samples', () => {
    expect(problemOf(runOracle(two, new Map(), [1, 2, 3])).code).toBe('inputMisfit')
  })

  it('a weight that no layer of that kind has is told as unread', () => {
    const { kind, make, args, ...parts } = linear(3).definition
    const more = defineLayer(kind, make, args, { ...parts, check: () => undefined, parameters: shape => ({ ...parts.parameters(shape as never), more: { shape: [1], initialiser: { kind: 'ones' } } }), forward: (x, context) => parts.forward(x as never, context) })
    const weights = new Map([['linear.weight', new Float32Array(6)], ['linear.bias', new Float32Array(3)], ['linear.more', new Float32Array(1)]])
    expect(valueOf(runOracle(model({ shape: [2], dtype: 'float32' }, [more]), weights, [1, 2])).unread).toEqual(['linear.more'])
  })
})
