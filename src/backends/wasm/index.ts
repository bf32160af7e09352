import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Backend, Device } from '../device.js'
import { kernelDevice } from '../tfjs/kernelDevice.js'
import { Crew } from './heap/crew.js'
import { Heap, newMemory } from './heap/heap.js'
import { heapHost } from './heap/heapHost.js'
import { nodeModule } from './heap/nodeModule.js'
import { hasRelaxedSimd, hasSimd } from './kernels/features.js'
import { bytesFor, instantiate, isShared } from './kernels/instantiate.js'
import { wasmLowerings } from './lowerings.js'

/** How {@link wasmWith} is to run. */
export interface WasmOptions {
  /** Threads, the calling one among them. As many as there are cores, at most 4, unless given; 1 where threads cannot share memory. */
  readonly threads?: number
  /** Whether fused multiply-add may be used where the runtime has it. It is, unless this is false. */
  readonly relaxedSimd?: boolean
}

/** A wasm backend with threads of its own. */
export interface WasmBackend extends Backend {
  /** Ends its threads. What is compiled on it goes on with one. */
  readonly close: () => Promise<void>
}

interface Opened {
  readonly device: Device
  readonly crew: Crew | undefined
}

const start = async ({ threads, relaxedSimd = true }: WasmOptions): Promise<Either<Problem, Opened>> => {
  if (!hasSimd()) return left(problem('backendBroken', 'wasm: this runtime has no WebAssembly SIMD', { remedy: 'use a newer browser or Node, or another backend; `vitrail backends` lists those that work here' }))
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) return left(problem('badOption', `wasm: threads must be a whole number from 1 on, but is ${threads}`))
  try {
    const isRelaxed = relaxedSimd && hasRelaxedSimd()
    const memory = newMemory()
    const module = await WebAssembly.compile(bytesFor(memory, isRelaxed))
    const native = instantiate(module, memory)
    const size = isShared(memory) ? (threads ?? Math.min(4, await cores())) : 1
    const crew = size > 1 ? new Crew({ module, memory, native }, { threads: size }) : undefined
    return right({ device: kernelDevice(heapHost('wasm', new Heap(memory), native, isRelaxed, crew), wasmLowerings) as Device, crew })
  } catch (fault) {
    return left(problem('backendBroken', `wasm: does not start: ${fault instanceof Error ? fault.message : String(fault)}`, { remedy: fault instanceof RangeError ? 'free memory, or, where addresses are what is limited (`ulimit -v`), run Node with --disable-wasm-trap-handler' : '`vitrail backends` lists those that work here' }))
  }
}

const cores = async (): Promise<number> => {
  if (typeof navigator === 'object' && navigator.hardwareConcurrency > 0) return navigator.hardwareConcurrency
  return (await nodeModule<{ availableParallelism(): number }>('node:os')).availableParallelism()
}

/**
 * {@link wasm} with a number of threads of your own choice, and a memory of its own. Results are the same bits for any number.
 *
 * Errors, when it is opened: `badOption`; `backendBroken` where the runtime has no SIMD or no memory.
 *
 * @example
 * wasmWith({ threads: 1 }).name // 'wasm'
 */
export const wasmWith = (options: WasmOptions = {}): WasmBackend => {
  let opened: Promise<Either<Problem, Opened>> | undefined
  return {
    name: 'wasm',
    open: async () => {
      const result = await (opened ??= start(options))
      if (result._tag === 'Right') return right(result.right.device)
      opened = undefined
      return result
    },
    close: async () => {
      const result = await opened
      if (result?._tag === 'Right') await result.right.crew?.close()
    },
  }
}

/**
 * WebAssembly with SIMD kernels, threads and memory of our own: needs no tfjs, though tfjs tensors go in and come out as on
 * any backend. Threads need a runtime that lets them share memory: Node does, a web page that is cross-origin isolated does;
 * elsewhere there is one. They keep no process alive.
 */
export const wasm: WasmBackend = wasmWith()
