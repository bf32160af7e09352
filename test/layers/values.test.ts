import { readdirSync, readFileSync } from 'node:fs'
import { right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { reference } from '../../src/backends/reference/index.js'
import { batchNorm, input, integerInput, shapeOf, type Layer, type Model, type ShapeFunction } from '../../src/index.js'
import { model } from '../../src/layers/core/model.js'
import { evaluate } from './samples.js'

/** What PyTorch computes, recorded by the scripts in test/fixtures/layers. */
interface Recording {
  readonly layer: string
  readonly input: readonly number[]
  readonly integers: boolean
  readonly x: readonly number[]
  readonly weights: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>
  readonly shape: readonly number[]
  readonly y: readonly number[]
}
const folder = new URL('../fixtures/layers/', import.meta.url)
const recordings = readdirSync(folder).filter(file => file.endsWith('.json')).flatMap(file => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly Recording[])

const opened = async ({ layer, input: shape, integers, weights }: Recording) => {
  const before = (integers ? integerInput(...shape) : input(...shape)) as unknown as Model<number[], number[]>
  const built = model<number[], number[]>(before.input, [evaluate(layer) as Layer<ShapeFunction>])
  const program = await compile(built, { backend: reference, weights: new Map(Object.entries(weights).map(([name, { data }]) => [name, Float32Array.from(data)])) })()
  if (program._tag === 'Left') throw new Error(program.left.sentence)
  return program.right
}
const asInput = ({ x, integers }: Recording): Float32Array => (integers ? (Int32Array.from(x) as unknown as Float32Array) : Float32Array.from(x))

describe('a layer computes what PyTorch does', () => {
  it.each(recordings.map(r => [`${r.layer} of ${r.input.join('×')}`, r] as const))('%s', async (_, recording) => {
    const program = await opened(recording)
    const ran = await program.run(asInput(recording))()
    if (ran._tag === 'Left') throw new Error(ran.left.sentence)
    const values = ran.right as unknown as Float32Array
    expect(values.length).toBe(recording.y.length)
    // Sums in double precision on both sides; what differs is one rounding to float32.
    recording.y.forEach((y, i) => expect(Math.abs(values[i]! - y), `element ${i}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(y))))
    program.dispose()
  })

  it('asks for exactly the weights that were recorded', async () => {
    for (const recording of recordings) {
      const program = await opened(recording)
      expect([recording.layer, [...program.parameters].sort()]).toEqual([recording.layer, Object.keys(recording.weights).sort()])
      program.dispose()
    }
  })
})

describe('a batch is its samples', () => {
  it.each(recordings.map(r => [`${r.layer} of ${r.input.join('×')}`, r] as const))('%s', async (_, recording) => {
    const program = await opened(recording)
    const [x, size] = [asInput(recording), recording.input.reduce((a, b) => a * b, 1)]
    const each = async (values: Float32Array): Promise<readonly number[]> => {
      const ran = await program.run(values)()
      return ran._tag === 'Left' ? [] : Array.from(ran.right as unknown as Float32Array)
    }
    expect([...(await each(x.slice(0, size))), ...(await each(x.slice(size)))]).toEqual(await each(x))
    program.dispose()
  })
})

it('a recipe text in a recording is one the library reads', () => {
  expect(recordings.length).toBeGreaterThan(40)
  expect(shapeOf(pipe(input(4), evaluate('linear(3)') as Layer<ShapeFunction>))).toEqual(right([3]))
})

describe('batchNorm in training', () => {
  it.each([1, 3])('keeps its running statistics finite, with %i values a channel', async batch => {
    const each = (value: number): Float32Array => new Float32Array(2).fill(value)
    const weights = new Map([['bn.weight', each(1)], ['bn.bias', each(0)], ['bn.running_mean', each(0)], ['bn.running_var', each(1)]])
    const program = await compile(pipe(input(2), batchNorm()), { backend: reference, weights, mode: 'training', features: ['bn.running_mean', 'bn.running_var'] as never[] })()
    if (program._tag === 'Left') throw new Error(program.left.sentence)
    const ran = await program.right.runWithFeatures(Float32Array.from({ length: 2 * batch }, (_, i) => i) as never)()
    if (ran._tag === 'Left') throw new Error(ran.left.sentence)
    const { 'bn.running_mean': mean, 'bn.running_var': variance } = ran.right.features as unknown as Readonly<Record<string, Float32Array>>
    // Channels hold 0, 2, 4 and 1, 3, 5: mean 2 and 3, unbiased variance 4.
    const expected = batch === 1 ? { mean: [0, 0.1], variance: [0.9, 0.9] } : { mean: [0.2, 0.3], variance: [1.3, 1.3] }
    expected.mean.forEach((value, i) => expect(mean![i]).toBeCloseTo(value, 6))
    expected.variance.forEach((value, i) => expect(variance![i]).toBeCloseTo(value, 6))
  })
})
