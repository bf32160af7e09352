import v8 from 'node:v8'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { expect } from 'vitest'
import { hasRelaxedSimd } from '../../../src/backends/wasm/kernels/features.js'
import { loadKernels } from '../../../src/backends/tfjs-wasm/load.js'
import type { KernelHost } from '../../../src/backends/tfjs/kernelHost.js'
import { Crew } from '../../../src/backends/wasm/heap/crew.js'
import { Heap, newMemory } from '../../../src/backends/wasm/heap/heap.js'
import { heapHost } from '../../../src/backends/wasm/heap/heapHost.js'
import { bytesFor, instantiate } from '../../../src/backends/wasm/kernels/instantiate.js'
import { uniform } from './uniform.js'

// Node 20 has relaxed SIMD behind this flag only; from Node 21 on it is there, and the flag may not be.
if (!hasRelaxedSimd()) v8.setFlagsFromString('--experimental-wasm-relaxed-simd')

/** The binaries that this runtime can run. */
export const binaries = [
  { name: 'plain SIMD', relaxedSimd: false },
  ...(hasRelaxedSimd() ? [{ name: 'relaxed SIMD', relaxedSimd: true }] : []),
]

/** The wasm backend with one of the binaries loaded. */
export const loadBackend = async (relaxedSimd: boolean) => {
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start')
  const backend = tf.backend()
  const kernels = loadKernels(backend, { relaxedSimd })
  if (kernels === undefined) throw new Error('the kernels did not load')
  expect(kernels.relaxedSimd).toBe(relaxedSimd)
  await ownHost(relaxedSimd)
  return { backend, kernels }
}

const hosts = new Map<boolean, KernelHost>()
const heaps = new Map<KernelHost, Heap>()

/** The same kernels on a heap of our own, all work however small shared by three threads. */
export const ownHost = async (relaxedSimd: boolean): Promise<KernelHost> => {
  const known = hosts.get(relaxedSimd)
  if (known !== undefined) return known
  const memory = newMemory()
  const heap = new Heap(memory)
  const module = new WebAssembly.Module(bytesFor(memory, relaxedSimd))
  const native = instantiate(module, memory)
  const crew = new Crew({ module, memory, native }, { threads: 3, leastNanoseconds: 0 })
  const host = heapHost('wasm', heap, native, relaxedSimd, crew)
  // The first job wakes them.
  for (const x of host.run('VitrailUnary', { x: host.upload(new Float32Array(4096), [4096], 'float32') }, { fn: 'exp' })) host.free(x)
  while (crew.ready < 2) await new Promise(resolve => setTimeout(resolve, 1))
  hosts.set(relaxedSimd, host)
  heaps.set(host, heap)
  return host
}

/** A dense tensor in plain TypeScript: what the definitions below compute with. */
export interface Dense {
  readonly shape: readonly number[]
  readonly values: Float32Array | Float64Array
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/** Float32 numbers of about unit size, the same for the same shape and seed. */
export const random = (shape: readonly number[], seed: number, scale = 1, shift = 0): Dense => {
  const next = uniform(seed + 7919 * shape.length)
  return { shape, values: Float32Array.from({ length: sizeOf(shape) }, () => shift + scale * (next() + next())) }
}

type Attributes = Readonly<Record<string, unknown>>

/** Runs a kernel on plain numbers and reads its result; disposes every tensor it made. On our own heap, by three threads, it gives the same bits. */
export const run = (kernel: string, inputs: Readonly<Record<string, Dense | undefined>>, attrs: Attributes): Dense => {
  const result = runOnTfjs(kernel, inputs, attrs)
  const own = runOnHeap(kernel, inputs, attrs)
  expect(own.shape).toEqual(result.shape)
  expect(Buffer.compare(bytesOf(own), bytesOf(result)), `${kernel}: our own heap gives other bits`).toBe(0)
  return result
}

const bytesOf = ({ values }: Dense): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

const runOnHeap = (kernel: string, inputs: Readonly<Record<string, Dense | undefined>>, attrs: Attributes): Dense => {
  const host = hosts.get(loadKernels(tf.backend())!.relaxedSimd)!
  const held = host.held().buffers
  const tensors = Object.entries(inputs).flatMap(([name, dense]) => (dense === undefined ? [] : [[name, host.upload(Float32Array.from(dense.values), dense.shape, 'float32')] as const]))
  const [output] = host.run(kernel, Object.fromEntries(tensors), attrs)
  const values = heaps.get(host)!.values(output!).slice() as Float32Array
  for (const x of [output!, ...tensors.map(([, x]) => x)]) host.free(x)
  expect(host.held().buffers).toBe(held)
  return { shape: output!.shape, values }
}

const runOnTfjs = (kernel: string, inputs: Readonly<Record<string, Dense | undefined>>, attrs: Attributes): Dense =>
  tf.tidy(() => {
    const tensors = Object.entries(inputs).flatMap(([name, dense]) =>
      dense === undefined ? [] : [[name, tf.tensor(Float32Array.from(dense.values), [...dense.shape], 'float32')] as const],
    )
    const output = runTensors(kernel, Object.fromEntries(tensors), attrs)
    return { shape: output.shape, values: output.dataSync() as Float32Array }
  }) as unknown as Dense

/** Runs a kernel on tensors. */
export const runTensors = (kernel: string, inputs: Readonly<Record<string, tf.Tensor>>, attrs: Attributes = {}): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs as unknown as tf.NamedTensorMap, attrs as unknown as tf.NamedAttrMap) as tf.Tensor

/** Fails with the worst element where |actual − expected| > tolerance (one number, or one for each element). */
export const expectClose = (actual: Dense, expected: Dense, tolerance: number | ((index: number) => number)): void => {
  expect(actual.shape).toEqual([...expected.shape])
  let worst = { excess: 0, text: '' }
  expected.values.forEach((value, i) => {
    const got = actual.values[i] ?? Number.NaN
    if (got === value || (Number.isNaN(got) && Number.isNaN(value))) return
    const allowed = typeof tolerance === 'number' ? tolerance : tolerance(i)
    const excess = Math.abs(got - value) / allowed
    if (!(excess <= Math.max(1, worst.excess))) worst = { excess, text: `[${i}]: ${got} for ${value}, allowed ${allowed}` }
  })
  expect(worst.text).toBe('')
}
