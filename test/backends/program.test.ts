import * as tf from '@tensorflow/tfjs-core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Backend } from '../../src/backends/device.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { classToken, embedding, encoderBlock, fanOut, flattenTokens, input, inputs, integerInput, layerNorm, linear, merge, parallel, patchEmbed, positionEmbed, repeat, takeToken, tap } from '../../src/index.js'
import { initialise } from '../../src/weights/initialise.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

const backends: readonly Backend[] = [reference, cpu, wasm]

const tiny = pipe(
  input(8, 8, 3),
  patchEmbed({ patchSize: 4, dim: 8 }),
  flattenTokens(),
  classToken(),
  positionEmbed(),
  tap('early', repeat(2, encoderBlock({ numHeads: 2, mlpRatio: 2, dropPath: 0.5, dropout: 0.2, attentionDropout: 0.3 }))),
  layerNorm(),
  takeToken(0),
  linear(5),
)
const weights = valueOf(initialWeights(tiny, 1))
const images = (count: number): Float32Array => initialise({ kind: 'uniform', bound: 1 }, [count, 8, 8, 3], 7, 'images')
const closeTo = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)))
const gate = (): { promise: Promise<void>; open: () => void } => {
  let open = (): void => {}
  return { promise: new Promise(resolve => (open = resolve)), open: () => open() }
}

describe.each(backends)('a program on $name', backend => {
  it('gives each sample of a batch what it gives it alone', async () => {
    const program = valueOf(await compile(tiny, { backend, weights })())
    const together = valueOf(await program.run(images(3))())
    for (let i = 0; i < 3; i++) {
      const alone = valueOf(await program.run(images(3).slice(i * 192, (i + 1) * 192))())
      expect(closeTo(alone, together.slice(i * 5, (i + 1) * 5))).toBeLessThan(1e-6)
    }
    program.dispose()
  })

  it('agrees with the reference', async () => {
    const [program, truth] = [valueOf(await compile(tiny, { backend, weights })()), valueOf(await compile(tiny, { backend: reference, weights })())]
    expect(closeTo(valueOf(await program.run(images(2))()), valueOf(await truth.run(images(2))()))).toBeLessThan(2e-6)
  })

  it('draws the same dropout masks in training mode, from seed, step and path alone', async () => {
    const run = async (b: Backend, step: number): Promise<Float32Array> => {
      const program = valueOf(await compile(tiny, { backend: b, weights, mode: 'training' })())
      await program.run(images(1))()
      return valueOf(await program.run(images(4), { seed: 3, step })())
    }
    const [here, there] = [await run(backend, 5), await run(reference, 5)]
    expect(closeTo(here, there)).toBeLessThan(2e-6)
    expect(closeTo(here, await run(backend, 6))).toBeGreaterThan(1e-3)
  })

  it('keeps the features that were asked for, by path and by tap', async () => {
    const program = valueOf(await compile(tiny, { backend, weights, features: ['blocks.1.attn', 'early'] })())
    const { features } = valueOf(await program.runWithFeatures(images(2))())
    expect(Object.fromEntries(Object.entries(features).map(([name, values]) => [name, values.length]))).toEqual({ 'blocks.1.attn': 2 * 5 * 8, early: 2 * 5 * 8 })
    expect(problemOf(await compile(tiny, { backend, weights, features: ['blocks.7'] })()).code).toBe('noSuchFeature')
  })

  it('takes records in and gives records out', async () => {
    const model = pipe(inputs({ a: input(6), b: input(6) }), parallel({ a: linear(4) }), fanOut({ sum: merge('concat'), first: parallel({ b: linear(2) }) }))
    const program = valueOf(await compile(model, { backend, weights: valueOf(initialWeights(model, 2)) })())
    const values = (n: number): Float32Array => initialise({ kind: 'uniform', bound: 1 }, [n], 1, 'v')
    const { sum, first } = valueOf(await program.run({ a: values(12), b: values(12) })())
    expect([sum.length, first.a.length, first.b.length]).toEqual([20, 8, 4])
    expect(problemOf(await program.run({ a: values(12), b: values(6) })()).sentence).toContain('has 1 samples, but another input has 2')
    expect(problemOf(await program.run({ a: values(12) } as never)()).sentence).toContain('got nothing')
  })

  it('looks integers up, and refuses those outside the table', async () => {
    const model = pipe(integerInput(3), embedding({ vocabularySize: 4, dim: 2 }))
    const table = Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31)
    const program = valueOf(await compile(model, { backend, weights: new Map([['embedding.weight', table]]) })())
    expect([...valueOf(await program.run(Int32Array.of(3, 0, 1, 2, 2, 2))())]).toEqual([30, 31, 0, 1, 10, 11, 20, 21, 20, 21, 20, 21])
    expect(problemOf(await program.run(Int32Array.of(3, 0, 4))()).sentence).toContain('4 is no row of a table of 4')
    expect(problemOf(await program.run(Float32Array.of(3, 0, 1) as never)()).code).toBe('inputMisfit')
  })

  it('takes tfjs tensors and gives tfjs tensors, which are the caller’s', async () => {
    await cpu.open()
    await tf.setBackend('cpu')
    const program = valueOf(await compile(tiny, { backend, weights })())
    const x = tf.tensor(images(2), [2, 8, 8, 3])
    const before = tf.memory().numTensors
    const y = valueOf(await program.run(x)())
    expect(y.shape).toEqual([2, 5])
    expect(closeTo(await y.data(), valueOf(await program.run(images(2))()))).toBeLessThan(2e-6)
    expect(tf.memory().numTensors).toBe(before + 1)
    expect(tf.getBackend()).toBe('cpu')
    y.dispose()
    expect(problemOf(await program.run(tf.tensor(images(2), [2, 3, 8, 8]))()).sentence).toContain('a float32 tensor of 2×3×8×8')
    x.dispose()
  })

  it('refuses input that is no whole number of samples, and other wrong kinds', async () => {
    const program = valueOf(await compile(tiny, { backend, weights })())
    for (const wrong of [new Float32Array(191), new Float32Array(0), new Int32Array(192), [1, 2, 3], undefined, null, 'x', { image: images(1) }])
      expect(problemOf(await program.run(wrong as never)()).code).toBe('inputMisfit')
    expect(valueOf(await program.run(images(1))()).length).toBe(5)
  })

  it('runs concurrent calls one after the other', async () => {
    const program = valueOf(await compile(tiny, { backend, weights })())
    const [one, two, three] = await Promise.all([program.run(images(1))(), program.run(images(2))(), program.run(images(1))()])
    expect([valueOf(one).length, valueOf(two).length]).toEqual([5, 10])
    expect(valueOf(three)).toEqual(valueOf(one))
  })

  it('stops at its signal, and runs again afterwards', async () => {
    const program = valueOf(await compile(tiny, { backend, weights })())
    expect(problemOf(await program.run(images(1), { signal: AbortSignal.abort() })()).code).toBe('aborted')
    expect(valueOf(await program.run(images(1), { signal: new AbortController().signal })()).length).toBe(5)
  })

  it('finishes the runs asked for before it is disposed of, and refuses later ones', async () => {
    const program = valueOf(await compile(tiny, { backend, weights })())
    const before = program.run(images(1))()
    program.dispose()
    program[Symbol.dispose]()
    expect(valueOf(await before).length).toBe(5)
    expect(problemOf(await program.run(images(1))()).code).toBe('disposed')
  })

  it('says which weight is missing or has the wrong size', async () => {
    const less = new Map(weights)
    less.delete('norm.weight')
    expect(problemOf(await compile(tiny, { backend, weights: less })()).sentence).toBe("weights: there is no 'norm.weight' (8)")
    expect(problemOf(await compile(tiny, { backend, weights: new Map([...weights, ['norm.weight', new Float32Array(7)]]) })()).sentence).toBe("weights: 'norm.weight' has 7 values, but 8 needs 8")
  })
})

describe('a run that can be aborted', () => {
  it('stops in the middle of a long computation and frees all it held', async () => {
    const long = pipe(input(64, 64), repeat(200, linear(64)))
    const program = valueOf(await compile(long, { backend: reference, weights: valueOf(initialWeights(long, 1)) })())
    const controller = new AbortController()
    const { promise, open } = gate()
    setTimeout(() => {
      controller.abort()
      open()
    }, 30)
    const ran = await program.run(new Float32Array(64 * 64), { signal: controller.signal })()
    await promise
    expect(problemOf(ran).code).toBe('aborted')
  })
})
