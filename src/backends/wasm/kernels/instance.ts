import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import { hasRelaxedSimd, hasSimd, kernelBytes } from './features.js'
import type { NativeKernels } from './native.js'
import { sizeOf } from './axes.js'

/** The part of tfjs's wasm backend that the kernels need. */
interface WasmBackend {
  readonly wasm: {
    _malloc(bytes: number): number
    _free(pointer: number): void
    /** The exports of the single-threaded build. */
    readonly asm?: { readonly memory?: unknown }
    /** The shared memory of the threaded build. */
    readonly wasmMemory?: unknown
  }
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } }
  makeOutput(shape: number[], dtype: DataType): TensorInfo
  disposeData(dataId: object, force?: boolean): boolean
}

/** The kernel module on one backend's memory. */
export interface Kernels {
  readonly native: NativeKernels
  readonly relaxedSimd: boolean
  /** Whether the backend is tfjs's threaded build. Our kernels run on the calling thread alone. */
  readonly threadedBackend: boolean
  /** Byte offset of a tensor. Valid until the tensor is disposed; memory growth does not move it. */
  readonly address: (tensor: TensorInfo) => number
  /** A new tensor of the backend, contents undefined. Throws where the heap is full. */
  readonly output: (shape: readonly number[], dtype?: DataType) => TensorInfo
  /** Byte offset of at least `bytes` bytes, contents undefined, valid until the next call: kept and grown. */
  readonly scratch: (bytes: number) => number
  /** Writes int32 values at a byte offset. */
  readonly writeInts: (at: number, values: readonly number[]) => void
  /** Gives the scratch memory back to the backend; the next call takes it anew. */
  readonly release: () => void
}

const instances = new WeakMap<object, Kernels>()

/** `relaxedSimd: false` asks for the plain binary; otherwise the relaxed one runs where the runtime has it. */
export interface KernelOptions {
  readonly relaxedSimd?: boolean
}

/** A backend that can have kernels, and has not those asked for. */
interface Wanted {
  readonly backend: WasmBackend
  readonly memory: WebAssembly.Memory
  readonly relaxedSimd: boolean
}

/**
 * The kernels of a backend, instantiated at the first call and kept. Undefined where they cannot run: not tfjs's wasm
 * backend, or a runtime without SIMD. Without options, whichever binary the backend has already.
 */
export const kernelsOf = (backend: object, options: KernelOptions = {}): Kernels | undefined => {
  const found = find(backend, options)
  return found === undefined || 'native' in found ? found : keep(found, instantiateOn(found.memory, found.relaxedSimd))
}

/** {@link kernelsOf}, compiled off the calling thread. */
export const kernelsOfAsync = async (backend: object, options: KernelOptions = {}): Promise<Kernels | undefined> => {
  const found = find(backend, options)
  if (found === undefined || 'native' in found) return found
  const { instance } = await WebAssembly.instantiate(bytesFor(found.memory, found.relaxedSimd), importsOf(found.memory))
  return keep(found, nativeOf(instance))
}

const find = (backend: object, options: KernelOptions): Kernels | Wanted | undefined => {
  const kept = instances.get(backend)
  const relaxedSimd = (options.relaxedSimd ?? kept?.relaxedSimd ?? true) && hasRelaxedSimd()
  if (kept !== undefined && kept.relaxedSimd === relaxedSimd) return kept
  if (!isWasmBackend(backend) || !hasSimd()) return undefined
  const memory = memoryOf(backend)
  return memory === undefined ? undefined : { backend, memory, relaxedSimd }
}

const keep = (wanted: Wanted, native: NativeKernels): Kernels => {
  instances.get(wanted.backend)?.release()
  const kernels = kernelsOn(wanted, native)
  instances.set(wanted.backend, kernels)
  return kernels
}

const isWasmBackend = (backend: object): backend is WasmBackend => {
  const { wasm, dataIdMap, makeOutput } = backend as Partial<WasmBackend>
  return typeof wasm?._malloc === 'function' && dataIdMap !== undefined && typeof makeOutput === 'function'
}

const memoryOf = ({ wasm }: WasmBackend): WebAssembly.Memory | undefined => {
  const memory = wasm.wasmMemory ?? wasm.asm?.memory
  return memory instanceof WebAssembly.Memory ? memory : undefined
}

/** Compiles the module and imports the memory, shared or not. */
export const instantiateOn = (memory: WebAssembly.Memory, relaxedSimd: boolean): NativeKernels =>
  nativeOf(new WebAssembly.Instance(new WebAssembly.Module(bytesFor(memory, relaxedSimd)), importsOf(memory)))

const bytesFor = (memory: WebAssembly.Memory, relaxedSimd: boolean): BufferSource => kernelBytes(relaxedSimd, isShared(memory))

const importsOf = (memory: WebAssembly.Memory): WebAssembly.Imports => ({ env: { memory } })

const nativeOf = (instance: WebAssembly.Instance): NativeKernels => instance.exports as unknown as NativeKernels

const isShared = (memory: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && (memory.buffer as unknown) instanceof SharedArrayBuffer

const kernelsOn = ({ backend, memory, relaxedSimd }: Wanted, native: NativeKernels): Kernels => {
  let scratchAt = 0
  let scratchBytes = 0
  const release = (): void => {
    if (scratchAt !== 0) backend.wasm._free(scratchAt)
    scratchAt = scratchBytes = 0
  }
  // >>> 0: malloc answers with a signed number, and the heap may be larger than 2 GiB
  const address = (tensor: TensorInfo): number => backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 0
  return {
    native,
    relaxedSimd,
    threadedBackend: isShared(memory),
    address,
    output: (shape, dtype = 'float32') => {
      const made = backend.makeOutput([...shape], dtype)
      if (address(made) !== 0 || sizeOf(shape) === 0) return made
      backend.disposeData(made.dataId, true)
      throw new Error(`wasm kernels: no memory left for a tensor of shape [${shape.join(', ')}]`)
    },
    scratch: (bytes) => {
      if (bytes <= scratchBytes) return scratchAt
      release()
      const at = backend.wasm._malloc(bytes) >>> 0
      if (at === 0) throw new Error(`wasm kernels: no memory left for ${bytes} bytes of scratch`)
      scratchAt = at
      scratchBytes = bytes
      return at
    },
    // a fresh view each time: growth detaches the old buffer
    writeInts: (at, values) => new Int32Array(memory.buffer, at, values.length).set(values),
    release,
  }
}
