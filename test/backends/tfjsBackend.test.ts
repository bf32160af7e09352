import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { pipe } from 'fp-ts/lib/function.js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { openSession } from '../../src/backends/openSession.js'
import { reference } from '../../src/backends/reference/index.js'
import { tfjsBackend } from '../../src/backends/tfjs/index.js'
import type { Shader } from '../../src/backends/tfjs/webgl/shader.js'
import { classToken, encoderBlock, flattenTokens, input, layerNorm, linear, mlp, patchEmbed, positionEmbed, repeat, takeToken } from '../../src/index.js'
import * as ops from '../../src/ops/ops.js'
import { initialise } from '../../src/weights/initialise.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

const vit = pipe(input(8, 8, 3), patchEmbed({ patchSize: 4, dim: 8 }), flattenTokens(), classToken(), positionEmbed(), repeat(2, encoderBlock({ numHeads: 2 })), mlp({ activation: 'relu' }), layerNorm(), takeToken(0), linear(5))
const weights = valueOf(initialWeights(vit, 1))
const images = initialise({ kind: 'uniform', bound: 1 }, [3, 8, 8, 3], 7, 'images')
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0)
const truth = async (): Promise<Float32Array> => valueOf(await valueOf(await compile(vit, { backend: reference, weights })()).run(images)())

/** tfjs's cpu backend, without its greeting. */
const quiet = (): MathBackendCPU => Object.assign(new MathBackendCPU(), { firstUse: false })

/** A backend of tfjs with the kernels of its cpu backend, but for those left out; says which were called. */
const fake = (name: string, leftOut: readonly string[] = [], make: () => MathBackendCPU = quiet): readonly string[] => {
  const called: string[] = []
  tf.registerBackend(name, make)
  for (const kernel of tf.getKernelsForBackend('cpu').filter(({ kernelName }) => !leftOut.includes(kernelName))) {
    tf.registerKernel({ ...kernel, backendName: name, kernelFunc: given => (called.push(kernel.kernelName), kernel.kernelFunc(given)) })
  }
  registered.push(name)
  return called
}
const registered: string[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const name of registered.splice(0)) {
    for (const { kernelName } of tf.getKernelsForBackend(name)) tf.unregisterKernel(kernelName, name)
    tf.removeBackend(name)
  }
})
const run = async (name: string): Promise<Float32Array> => valueOf(await valueOf(await compile(vit, { backend: tfjsBackend(name), weights })()).run(images)())

describe('a backend of tfjs, by its name', () => {
  it.each(['cpu', 'wasm'])('%s runs a ViT as the reference does, and leaves the active backend as it was', async name => {
    if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm')
    await tf.setBackend('cpu')
    expect(furthest(await run(name), await truth())).toBeLessThan(2e-6)
    expect(tf.getBackend()).toBe('cpu')
  })

  it('that tfjs has not is refused with those it has, and what to import', async () => {
    const refused = problemOf(await tfjsBackend('webgl').open())
    expect([refused.code, refused.sentence, refused.remedy]).toEqual(['backendAbsent', expect.stringMatching(/^webgl: tfjs has no backend called 'webgl'; it has .*'cpu'/), "import the package that registers it first: import '@tensorflow/tfjs-backend-webgl'"])
  })

  it('without a name is refused as one that has none', async () => {
    const refused = problemOf(await tfjsBackend('').open())
    expect([refused.code, refused.sentence, refused.remedy]).toEqual(['backendAbsent', expect.stringMatching(/^tfjsBackend: tfjs has no backend called ''; it has /), "give the name that the backend's package registers, such as 'webgl'"])
  })

  it('that does not start is refused, and found once it does', async () => {
    let isBroken = true
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    fake('moody', [], () => {
      if (isBroken) throw new Error('no context')
      return quiet()
    })
    const backend = tfjsBackend('moody')
    expect(problemOf(await backend.open()).code).toBe('backendBroken')
    isBroken = false
    expect(valueOf(await backend.open()).name).toBe('moody')
  })
})

describe('the ways that ops run', () => {
  it('are those of fused kernels, where the backend has them: bias and ReLU go into the product and the convolution', async () => {
    const called = fake('fused')
    expect(furthest(await run('fused'), await truth())).toBeLessThan(2e-6)
    const count = (kernel: string): number => called.filter(name => name === kernel).length
    expect([count('_FusedMatMul') > 8, count('FusedConv2D'), count('Conv2D'), count('Relu')]).toEqual([true, 1, 0, 0])
    // Two a block, for scores and sums of values.
    expect(count('BatchMatMul')).toBe(4)
  })

  it('are others, where it has not', async () => {
    const called = fake('plain', ['_FusedMatMul', 'FusedConv2D', 'FusedDepthwiseConv2D', 'Step', 'Pow'])
    expect(furthest(await run('plain'), await truth())).toBeLessThan(2e-6)
    expect(called).toContain('Conv2D')
    const x = ops.input('x', [4])
    const y = { step: ops.step(x), cube: ops.power(x, 3), inverse: ops.power(x, -2), root: ops.power(ops.exp(x), 0.5), one: ops.power(x, 0) }
    const [here, there] = await Promise.all([tfjsBackend('plain'), reference].map(async backend => valueOf(await valueOf(await openSession({ y: { inputs: x, outputs: y } }, { backend, weights: new Map() })()).run('y', Float32Array.of(-2, -0.5, 0.25, 3))())))
    for (const name of Object.keys(y)) expect(furthest(here![name] as Float32Array, there![name] as Float32Array)).toBeLessThan(1e-5)
  })

  it('are refused by the names of what is missing, where there is none', async () => {
    fake('poor', ['Softmax', 'Erf'])
    const refused = problemOf(await compile(vit, { backend: tfjsBackend('poor'), weights })())
    expect([refused.code, refused.sentence]).toEqual(['missingKernels', expect.stringMatching(/^poor: .*Softmax.*Erf|^poor: .*Erf.*Softmax/)])
  })

  it("call none of TensorFlow's kernels that want tensors of the engine", async () => {
    const called = fake('tensorflow')
    expect(furthest(await run('tensorflow'), await truth())).toBeLessThan(2e-6)
    expect(called.filter(name => ['_FusedMatMul', 'FusedConv2D', 'Mean', 'Pow', 'Step'].includes(name))).toEqual([])
  })

  it('are programs of our own on a backend that runs GLSL: one or two for what takes its kernels many', async () => {
    const shaders: Shader[] = []
    class Gl extends MathBackendCPU {
      runWebGLProgram(program: Shader): tf.TensorInfo {
        shaders.push(program)
        return this.makeTensorInfo([...program.outputShape], 'float32', new Float32Array(program.outputShape.reduce((n, size) => n * size, 1)))
      }
    }
    const called = fake('gl', [], () => new Gl())
    await run('gl')
    // Two norms a block and the last, two shares, three GELUs or none: the last map has a ReLU.
    expect([shaders.filter(({ userCode }) => userCode.includes('inversesqrt')).length, shaders.filter(({ userCode }) => userCode.includes('top')).length, shaders.filter(({ userCode }) => userCode.includes('erfOf(x')).length]).toEqual([5, 2, 2])
    expect(called.filter(name => ['Erf', 'Exp', 'Rsqrt', 'Sum', 'Softmax'].includes(name))).toEqual([])
  })
})
