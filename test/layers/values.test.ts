import { readdirSync, readFileSync } from 'node:fs'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { reference } from '../../src/backends/reference/index.js'
import { input, integerInput, type Layer, type Model, type ShapeFunction } from '../../src/index.js'
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
  expect(pipe(input(4), evaluate('linear(3)') as Layer<ShapeFunction>)).toBeDefined()
})
