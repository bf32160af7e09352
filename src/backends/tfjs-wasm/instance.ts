import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import type { Values } from '../device.js'
import { hasRelaxedSimd, hasSimd } from '../wasm/kernels/features.js'
import { bytesFor, instantiate } from '../wasm/kernels/instantiate.js'
import type { Kernels } from '../wasm/kernels/kernels.js'
import type { NativeKernels } from '../wasm/kernels/native.js'

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

const LINE = 64

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
  return found === undefined || 'native' in found ? found : keep(found, instantiate(new WebAssembly.Module(bytesFor(found.memory, found.relaxedSimd)), found.memory))
}

/** {@link kernelsOf}, compiled off the calling thread. */
export const kernelsOfAsync = async (backend: object, options: KernelOptions = {}): Promise<Kernels | undefined> => {
  const found = find(backend, options)
  if (found === undefined || 'native' in found) return found
  return keep(found, instantiate(await WebAssembly.compile(bytesFor(found.memory, found.relaxedSimd)), found.memory))
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

const kernelsOn = ({ backend, memory, relaxedSimd }: Wanted, native: NativeKernels): Kernels => {
  let scratchAt = 0
  let scratchBytes = 0
  const release = (): void => {
    if (scratchAt !== 0) backend.wasm._free(scratchAt)
    scratchAt = scratchBytes = 0
  }
  // >>> 0: malloc answers with a signed number, and the heap may be larger than 2 GiB
  const address = (tensor: TensorInfo): number => backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 0
  const threads = { at: 0 }
  const scratch = (bytes: number, bytesPerThread = 0): number => {
    const own = Math.ceil(bytes / LINE) * LINE
    const whole = own + bytesPerThread
    if (whole > scratchBytes) {
      release()
      const at = backend.wasm._malloc(whole) >>> 0
      if (at === 0) throw new Error(`wasm kernels: no memory left for ${whole} bytes of scratch`)
      scratchAt = at
      scratchBytes = whole
    }
    threads.at = scratchAt + own
    return scratchAt
  }
  return {
    native,
    relaxedSimd,
    address,
    // a fresh view each time: growth detaches the old buffer
    values: (tensor): Values => new (tensor.dtype === 'int32' ? Int32Array : Float32Array)(memory.buffer, address(tensor), sizeOf(tensor.shape)),
    output: (shape, dtype = 'float32') => {
      const made = backend.makeOutput([...shape], dtype)
      if (address(made) !== 0 || sizeOf(shape) === 0) return made
      backend.disposeData(made.dataId, true)
      throw new Error(`wasm kernels: no memory left for a tensor of shape [${shape.join(', ')}]`)
    },
    scratch,
    writeInts: (at, values) => new Int32Array(memory.buffer, at, values.length).set(values),
    // tfjs's memory is not ours to share: the calling thread does all of it
    run: (kernel, units, _, ...operands) => (native[kernel] as (...args: number[]) => void)(...operands, threads.at, 0, units),
    release,
  }
}
