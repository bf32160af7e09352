import { kernelBytes } from './features.js'
import type { NativeKernels } from './native.js'

/** Whether threads can share a memory. */
export const isShared = ({ buffer }: WebAssembly.Memory): boolean => typeof SharedArrayBuffer !== 'undefined' && (buffer as unknown) instanceof SharedArrayBuffer

/** The bytes of the module that a memory, shared or not, can be given to. */
export const bytesFor = (memory: WebAssembly.Memory, relaxedSimd: boolean): BufferSource => kernelBytes(relaxedSimd, isShared(memory))

/** The kernels of a module on a memory. */
export const instantiate = (module: WebAssembly.Module, memory: WebAssembly.Memory): NativeKernels => new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as NativeKernels
