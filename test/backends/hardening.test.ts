import * as tf from '@tensorflow/tfjs-core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { foldAxes } from '../../src/backends/tfjs/foldAxes.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { defineLayer, dropout, embedding, fanOut, identity, initialWeights, input, inputs, integerInput, layerNorm, linear, named, ops, relu, repeat, serial, tap, trace, type AnyLayer, type AnyModel, type Layer, type ShapeFunction, type Tensor } from '../../src/index.js'
import { initialise } from '../../src/weights/initialise.js'
import { problemOf, valueOf } from '../support/either.js'

const backends = [reference, cpu, wasm]
const none = new Map<string, Float32Array>()

it('opens several tfjs backends at once', async () => {
  for (const opened of await Promise.all([wasm.open(), cpu.open()])) expect(valueOf(opened).name).toMatch(/wasm|cpu/)
})

describe.each(backends)('on $name', backend => {
  it('sums and products of more than six axes are right', async () => {
    const shape = [2, 2, 1, 3, 2, 1]
    const self = (): Layer<ShapeFunction> => high
    const high: Layer<ShapeFunction> = defineLayer<ShapeFunction>('high', self, [], {
      forward: x => ops.subtract(ops.multiply(ops.add(x, ops.reshape(ops.mean(x, [0]), [1, 2, 1, 3, 2, 1])), ops.scalar(3)), ops.divide(x, ops.exp(ops.max(x, [1, 4], true)))),
    })
    const model = high(input(...shape) as never) as never
    const x = initialise({ kind: 'uniform', bound: 1 }, [3 * 24], 1, 'x')
    const [ours, truth] = await Promise.all([backend, reference].map(async b => valueOf(await valueOf(await compile(model, { backend: b, weights: none })()).run(x as never)()) as Float32Array))
    truth!.forEach((value, i) => expect(Math.abs(value - ours![i]!)).toBeLessThan(2e-6))
  })

  it('neither hands out the caller’s array nor keeps it', async () => {
    const same = valueOf(await compile(pipe(input(2), tap('a', identity()), identity()), { backend, weights: none, features: ['a'] })())
    const x = Float32Array.of(1, 2)
    const { output, features } = valueOf(await same.runWithFeatures(x)())
    expect(output).not.toBe(x)
    features['a']!.fill(9)
    expect([...output]).toEqual([1, 2])
    const model = pipe(input(2), layerNorm())
    const weights = new Map([['norm.weight', Float32Array.of(1, 1)], ['norm.bias', Float32Array.of(0, 0)]])
    const program = valueOf(await compile(model, { backend, weights })())
    const before = [...valueOf(await program.run(x)())]
    weights.get('norm.bias')!.fill(7)
    expect([...valueOf(await program.run(x)())]).toEqual(before)
  })

  it('reads its input when it is called, not when its turn comes', async () => {
    const program = valueOf(await compile(pipe(input(2), relu()), { backend, weights: none })())
    const x = Float32Array.of(1, 2)
    const [first, second] = [program.run(x)(), program.run(x)()]
    x.fill(9)
    expect([...valueOf(await first), ...valueOf(await second)]).toEqual([1, 2, 1, 2])
  })

  it('gives a problem, not a rejection, for a tensor disposed of or no tensor at all', async () => {
    await cpu.open()
    await tf.setBackend('cpu')
    const program = valueOf(await compile(pipe(integerInput(2), embedding({ vocabularySize: 3, dim: 1 })), { backend, weights: new Map([['embedding.weight', Float32Array.of(1, 2, 3)]]) })())
    const t = tf.tensor([1, 2], [1, 2], 'int32')
    const kept = program.run(t)()
    t.dispose()
    expect([...(await valueOf(await kept).data())]).toEqual([2, 3])
    expect((await program.run({ dataId: 1, shape: undefined } as never)())._tag).toBe('Left')
    expect((await program.run(t)())._tag).toBe('Left')
  })
})

describe('tracing', () => {
  const problemIn = (model: unknown, mode?: 'training') => problemOf(trace(model as AnyModel, mode === undefined ? {} : { mode }))

  it('refuses names that would make two things one', () => {
    expect(problemIn(pipe(input(3), repeat(3, tap('x', linear(3))))).code).toBe('duplicateFeature')
    expect(problemIn(pipe(input(3), named('d', dropout(0.5)), named('d', dropout(0.5))), 'training').code).toBe('duplicateStream')
    expect(problemIn(inputs({ 'a.b': input(1), a: inputs({ b: input(1) }) })).code).toBe('badName')
    expect(problemIn(inputs({ integers: input(1) })).code).toBe('badName')
  })

  it('refuses what is no layer', () => {
    expect(problemIn(pipe(input(3), serial(3 as unknown as AnyLayer))).code).toBe('notALayer')
  })

  it('knows the weights that only a feature needs', async () => {
    const pick: AnyLayer = defineLayer<ShapeFunction, Readonly<Record<string, Tensor>>, never>('pick', () => pick, [], { accepts: 'record', forward: x => x['a']! })
    const model = pipe(input(2), fanOut({ a: linear(2), b: linear(4) }), pick as never) as never
    const weights = valueOf(initialWeights(model, 1))
    expect([...weights.keys()]).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias'])
    expect(valueOf(await compile(model, { backend: reference, weights, features: ['b'] })()).parameters).toHaveLength(4)
  })

  it('refuses ops that backends could not agree on', () => {
    const [x, batched] = [ops.input('x', [4]), ops.input('y', [4])]
    expect(() => ops.layerNorm(x, 1e-6, { gamma: batched, beta: batched })).toThrow('one unbatched number a channel')
    expect(() => ops.layerNorm(x, 1e-6, { gamma: ops.constant(new Float32Array(3), [3]), beta: ops.constant(new Float32Array(3), [3]) })).toThrow('one unbatched number a channel')
    expect(() => ops.linear(x, ops.constant(new Float32Array(16), [4, 4]), batched)).toThrow('bias')
    expect(() => ops.softmax(ops.input('x', []))).toThrow('channel axis')
  })
})


it('foldAxes joins neighbours that broadcast alike', () => {
  expect(foldAxes([2, 3, 4, 5], [1, 1, 4, 5])).toEqual([[6, 20], [1, 20]])
  expect(foldAxes([2, 1, 4], [1, 3, 4])).toEqual([[2, 1, 4], [1, 3, 4]])
  expect(foldAxes([1, 1], [1, 1])).toEqual([[], []])
})
