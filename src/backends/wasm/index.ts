import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Backend, Device } from '../device.js'
import { kernelDevice } from '../tfjs/kernelDevice.js'
import { Heap, newMemory } from './heap/heap.js'
import { heapHost } from './heap/heapHost.js'
import { hasRelaxedSimd, hasSimd } from './kernels/features.js'
import { bytesFor, instantiate } from './kernels/instantiate.js'
import { wasmLowerings } from './lowerings.js'

const start = async (): Promise<Either<Problem, Device>> => {
  if (!hasSimd()) return left(problem('backendBroken', 'wasm: this runtime has no WebAssembly SIMD', { remedy: 'use a newer browser or Node, or another backend' }))
  try {
    const relaxedSimd = hasRelaxedSimd()
    const memory = newMemory()
    const module = await WebAssembly.compile(bytesFor(memory, relaxedSimd))
    const host = heapHost('wasm', new Heap(memory), instantiate(module, memory), relaxedSimd, undefined)
    return right(kernelDevice(host, wasmLowerings) as Device)
  } catch (fault) {
    return left(problem('backendBroken', `wasm: does not start: ${fault instanceof Error ? fault.message : String(fault)}`, { remedy: '`vitrail backends` lists those that work here' }))
  }
}

let opened: Promise<Either<Problem, Device>> | undefined

/**
 * WebAssembly kernels of our own on a heap of our own.
 */
export const wasm: Backend = { name: 'wasm', open: () => (opened ??= start()) }
