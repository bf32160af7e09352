import * as tf from '@tensorflow/tfjs-core'
import { pipe } from 'fp-ts/lib/function.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { swin } from '../../recipes/swin.js'
import { compile } from '../../src/backends/compile.js'
import { openSession } from '../../src/backends/openSession.js'
import { reference } from '../../src/backends/reference/index.js'
import { tfjsWasm } from '../../src/backends/tfjs-wasm/index.js'
import { classToken, encoderBlock, flattenTokens, gradient, input, layerNorm, linear, patchEmbed, positionEmbed, repeat, takeToken } from '../../src/index.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import * as ops from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { initialise } from '../../src/weights/initialise.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

/** tfjs's wasm backend with its memory out of reach, as in a version that hides it: our kernels have nowhere to run. */
beforeAll(async () => {
  await import('@tensorflow/tfjs-backend-wasm')
  await tf.setBackend('wasm')
  const { wasm } = tf.backend() as unknown as { readonly wasm: { asm: object } }
  wasm.asm = Object.create(wasm.asm, { memory: { value: undefined } }) as object
})

const vit = pipe(input(48, 48, 3), patchEmbed({ patchSize: 8, dim: 96 }), flattenTokens(), classToken(), positionEmbed(), repeat(2, encoderBlock({ numHeads: 3 })), layerNorm(), takeToken(0), linear(10))
const windowed = pipe(input(28, 28, 3), swin({ patchSize: [2, 2], dim: 24, depths: [2, 2], numHeads: [2, 4], windowSize: [7, 7], numClasses: 10 }))
const images = (shape: readonly number[], count: number): Float32Array => initialise({ kind: 'uniform', bound: 1 }, [count, ...shape], 7, 'images')
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0)

/** Multiply-adds of the products that tfjs does in a scalar loop while `f` runs: those of a batch, or with a transpose. Of a few rows it is the quicker way. */
const slowWork = async (f: () => Promise<unknown>): Promise<number> => {
  const kernel = tf.getKernel('BatchMatMul', 'wasm')
  const { kernelFunc } = kernel
  let work = 0
  kernel.kernelFunc = given => {
    const { a, b } = given.inputs as { readonly a: tf.TensorInfo; readonly b: tf.TensorInfo }
    const { transposeA, transposeB } = given.attrs as { readonly transposeA: boolean; readonly transposeB: boolean }
    const pieces = Math.max(...[a, b].map(x => x.shape.slice(0, -2).reduce((n, size) => n * size, 1)))
    if (a.shape.at(transposeA ? -1 : -2)! >= 8 && (pieces > 1 || transposeA || transposeB)) work += pieces * a.shape.at(-1)! * a.shape.at(-2)! * b.shape.at(transposeB ? -2 : -1)!
    return kernelFunc(given)
  }
  try {
    await f()
    return work
  } finally {
    kernel.kernelFunc = kernelFunc
  }
}

describe('tfjs-wasm where our kernels cannot run', () => {
  it('works, and says what failed and what to do', async () => {
    const device = valueOf(await tfjsWasm.open())
    expect(device.notice?.code).toBe('kernelsAbsent')
    expect(device.notice?.sentence).toContain("the memory of this version of tfjs's wasm backend cannot be reached")
    expect(device.notice?.remedy).toContain('vitrail/backends/wasm')
    const program = valueOf(await compile(vit, { backend: tfjsWasm, weights: valueOf(initialWeights(vit, 1)) })())
    expect(program.notice).toEqual(device.notice)
    program.dispose()
  })

  it.each([['a ViT', vit as AnyModel, [48, 48, 3]], ['a Swin', windowed as AnyModel, [28, 28, 3]]] as const)('runs %s as the reference does, with no product in a scalar loop, and leaves memory as it was', async (_, model, shape) => {
    const weights = valueOf(initialWeights(model, 1))
    const [program, truth] = [valueOf(await compile(model as typeof vit, { backend: tfjsWasm, weights })()), valueOf(await compile(model as typeof vit, { backend: reference, weights })())]
    const held: (number | undefined)[] = []
    for (const count of [1, 3]) {
      const x = images(shape, count)
      let here: ArrayLike<number> = []
      expect(await slowWork(async () => (here = valueOf(await program.run(x)())))).toBe(0)
      expect(furthest(here, valueOf(await truth.run(x)()))).toBeLessThan(2e-5)
      const before = tf.engine().findBackend('wasm').numDataIds()
      await program.run(x)()
      held.push(tf.engine().findBackend('wasm').numDataIds() - before)
    }
    expect(held).toEqual([0, 0])
    for (const p of [program, truth]) p.dispose()
  })

  it('gives products and slices of any form, and their gradients, as the reference does', async () => {
    const [a, b, s] = [ops.input('a', [3, 24, 20]), ops.input('b', [3, 20, 28]), ops.input('s', [4, 6, 30, 5])]
    const w = ops.parameter('w', [28, 24], { kind: 'zeros' })
    const forms: readonly Tensor[] = [ops.matmul(a, b), ops.matmul(ops.transpose(a, [0, 2, 1]), ops.transpose(b, [0, 2, 1]), { transposeA: true, transposeB: true }), ops.matmul(b, w, {}), ops.slice(s, [1, 0, 3, 0], [2, 6, 20, 5]), ops.slice(s, [0, 2, 0, 1], [4, 3, 30, 3]), ops.slice(s, [3, 0, 0, 0], [1, 6, 30, 5])]
    const loss = ops.batchMean(forms.map((y): Tensor => ops.sum(ops.multiply(y, y), y.shape.map((_, axis) => axis))).reduce((sum, x) => ops.add(sum, x)))
    const { of } = gradient(loss, [a, b, s, w])
    const outputs = Object.fromEntries([...forms, ...of.values()].map((y, i) => [`y${i}`, y]))
    const weights = new Map([['w', images([28, 24], 1)]])
    const fed = { a: images([3, 24, 20], 2), b: images([3, 20, 28], 2), s: images([4, 6, 30, 5], 2) }
    const [here, there] = await Promise.all([tfjsWasm, reference].map(async backend => valueOf(await valueOf(await openSession({ all: { inputs: { a, b, s }, outputs } }, { backend, weights })()).run('all', fed)())))
    expect(of.size).toBe(4)
    for (const [name, values] of Object.entries(there!)) expect([name, furthest(here![name] as Float32Array, values as Float32Array) < 1e-4 * Math.max(1, ...(values as Float32Array))]).toEqual([name, true])
  })

  it('refuses, by name and before it runs, what tfjs has no kernel for', async () => {
    const x = ops.input('x', [8, 8, 2])
    const filter = ops.parameter('f', [3, 2, 3, 3], { kind: 'zeros' })
    const y = ops.conv2d(x, filter, undefined, { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 })
    const { of } = gradient(ops.batchMean(ops.sum(y, [0, 1, 2])), [filter])
    const refused = problemOf(await openSession({ all: { inputs: x, outputs: { of: of.get(filter)! } } }, { backend: tfjsWasm, weights: new Map() })())
    expect([refused.code, refused.sentence]).toEqual(['missingKernels', expect.stringContaining('Conv2DBackpropFilter')])
  })
})
