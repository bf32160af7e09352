import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { hasRelaxedSimd } from '../../../src/backends/wasm/kernels/features.js'
import { loadKernels, loadKernelsAsync } from '../../../src/backends/tfjs-wasm/load.js'
import { implementations } from '../../../src/backends/wasm/kernels/implementations.js'
import { bytesFor, instantiate } from '../../../src/backends/wasm/kernels/instantiate.js'
import { binaries, loadBackend, runTensors } from './support.js'

interface WasmInternals {
  readonly wasm: { _malloc(bytes: number): number; readonly asm: { readonly memory: WebAssembly.Memory } }
  numDataIds(): number
}
const internals = (): WasmInternals => tf.backend() as unknown as WasmInternals

/** One call of every kernel; disposes all results. */
const callAll = (t: Readonly<Record<'x' | 'w' | 'bias' | 'qkv', tf.Tensor>>): void =>
  tf.tidy(() => {
    const packed = runTensors('VitrailPack', { w: t.w }, { transposed: false })
    runTensors('VitrailLinear', { x: t.x, packed, bias: t.bias }, { n: 40, activation: 'gelu' })
    runTensors('VitrailMatMul', { a: t.x, b: t.x }, { transposeB: true })
    runTensors('VitrailLayerNorm', { x: t.x }, { epsilon: 1e-6 })
    runTensors('VitrailUnary', { x: t.x }, { fn: 'erf' })
    runTensors('VitrailSoftmax', { x: t.x })
    runTensors('VitrailAttention', { q: t.x, k: t.x, v: t.x }, { scale: 1 })
    runTensors('VitrailPackedAttention', { qkv: t.qkv }, { numHeads: 2, scale: 1 })
    runTensors('VitrailSlice', { x: t.x }, { begin: [0, 1, 2], size: [2, 3, 4] })
    runTensors('VitrailTranspose', { x: t.x }, { perm: [2, 0, 1] })
  })

const tensors = () => ({
  x: tf.ones([2, 17, 24]),
  w: tf.ones([24, 40]),
  bias: tf.ones([40]),
  qkv: tf.ones([2, 9, 48]),
})

describe.each(binaries)('memory, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))
  afterEach(() => vi.restoreAllMocks())

  it('a thousand calls of every kernel leave no tensor and no growth', () => {
    const inputs = tensors()
    callAll(inputs)
    const { memory } = internals().wasm.asm
    const [ids, bytes] = [internals().numDataIds(), memory.buffer.byteLength]
    for (let i = 0; i < 1000; i++) callAll(inputs)
    expect(internals().numDataIds()).toBe(ids)
    expect(memory.buffer.byteLength).toBe(bytes)
    tf.dispose(inputs)
  })

  it('results are right after the heap has grown', () => {
    const { memory } = internals().wasm.asm
    const before = memory.buffer.byteLength
    const large = tf.ones([before / 4 / 2, 2])
    expect(memory.buffer.byteLength).toBeGreaterThan(before)
    const swapped = runTensors('VitrailTranspose', { x: tf.tensor2d([[1, 2], [3, 4]]) }, { perm: [1, 0] })
    expect([...swapped.dataSync()]).toEqual([1, 3, 2, 4])
    tf.dispose([large, swapped])
  })

  it('a refused call leaves no tensor', () => {
    const x = tf.ones([2, 3])
    const ids = internals().numDataIds()
    expect(() => runTensors('VitrailMatMul', { a: x, b: x })).toThrow()
    expect(internals().numDataIds()).toBe(ids)
    x.dispose()
  })

  it('a full heap is a sentence, and leaves no tensor', () => {
    const x = tf.ones([2, 3])
    const kernels = loadKernels(tf.backend(), { relaxedSimd })!
    kernels.release()
    const ids = internals().numDataIds()
    vi.spyOn(internals().wasm, '_malloc').mockReturnValue(0)
    expect(() => runTensors('VitrailUnary', { x }, { fn: 'erf' })).toThrow('no memory left for a tensor of shape [2, 3]')
    expect(() => runTensors('VitrailMatMul', { a: x, b: x }, { transposeB: true })).toThrow(/no memory left for \d+ bytes of scratch/)
    expect(internals().numDataIds()).toBe(ids)
    vi.restoreAllMocks()
    expect([...runTensors('VitrailMatMul', { a: x, b: x }, { transposeB: true }).dataSync()]).toEqual([3, 3, 3, 3])
  })
})

describe('loadKernels', () => {
  it('is idempotent and silent', async () => {
    const { backend, kernels } = await loadBackend(false)
    const warn = vi.spyOn(console, 'warn')
    expect(loadKernels(backend)).toBe(kernels)
    expect(loadKernels(backend, { relaxedSimd: false })).toBe(kernels)
    expect(warn).not.toHaveBeenCalled()
    for (const name of Object.keys(implementations)) expect(tf.getKernel(name, 'wasm')).toMatchObject({ kernelName: name, backendName: 'wasm' })
    expect(loadKernels(backend, { relaxedSimd: true })?.relaxedSimd).toBe(hasRelaxedSimd())
  })

  it('is undefined for what is no wasm backend', () => {
    expect(loadKernels({})).toBeUndefined()
    expect(loadKernels({ wasm: { _malloc: () => 0 }, dataIdMap: new Map(), makeOutput: () => undefined })).toBeUndefined()
  })

  it('has an asynchronous twin', async () => {
    const { backend } = await loadBackend(false)
    const kernels = await loadKernelsAsync(backend, { relaxedSimd: true })
    expect(kernels?.relaxedSimd).toBe(hasRelaxedSimd())
    expect(loadKernels(backend)).toBe(kernels)
    expect(await loadKernelsAsync({})).toBeUndefined()
    const plain = await loadKernelsAsync(backend, { relaxedSimd: false })
    expect(plain?.relaxedSimd).toBe(false)
    expect([...runTensors('VitrailUnary', { x: tf.tensor1d([9]) }, { fn: 'erf' }).dataSync()]).toEqual([1])
  })

  it('outlives the backend it was loaded on', async () => {
    await loadBackend(false)
    const factory = tf.findBackendFactory('wasm')
    tf.removeBackend('wasm')
    tf.registerBackend('wasm', factory)
    expect(await tf.setBackend('wasm')).toBe(true)
    const y = runTensors('VitrailUnary', { x: tf.tensor1d([0, 9]) }, { fn: 'erf' })
    expect([...y.dataSync()]).toEqual([0, 1])
  })
})

describe('shared memory', () => {
  it.each(binaries)('$name runs on the memory of the threaded build', ({ relaxedSimd }) => {
    const memory = new WebAssembly.Memory({ initial: 20, maximum: 65536, shared: true })
    const kernels = instantiate(new WebAssembly.Module(bytesFor(memory, relaxedSimd)), memory)
    new Float32Array(memory.buffer, 4096, 5).set([9, -9, 0, 5, -5])
    kernels.unary(4096, 8192, 5, 6, 0, 0, 1)
    expect([...new Float32Array(memory.buffer, 8192, 5)]).toEqual([1, -1, 0, 1, -1])
  })
})
