import * as binaries from './binaries.js'

/** `() => f32x4.relaxed_madd(0, 0, 0)`, the smallest module that only a runtime with relaxed SIMD accepts. */
const relaxedMaddModule = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic, version 1
  1, 5, 1, 0x60, 0, 1, 0x7b, // type 0: () -> v128
  3, 2, 1, 0, // function 0 has type 0
  10, 19, 1, 17, 0, // code: one body of 17 bytes, no locals
  0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, // three times i8x16.splat(0)
  0xfd, 0x85, 0x02, 0x0b, // f32x4.relaxed_madd, end
)

/** Whether the runtime has relaxed SIMD (Chrome 114, Firefox 145, Node 21; Node 20 behind a flag). Asked each time. */
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(relaxedMaddModule)

/** `() => i8x16.splat(0)`. */
const simdModule = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 5, 1, 0x60, 0, 1, 0x7b,
  3, 2, 1, 0,
  10, 8, 1, 6, 0, 0x41, 0, 0xfd, 0x0f, 0x0b,
)

/** Whether the runtime has SIMD, which the plain binary needs. */
export const hasSimd = (): boolean => WebAssembly.validate(simdModule)

/** The module's bytes; for a memory shared with the workers of tfjs's threaded build when `shared`. */
export const kernelBytes = (relaxedSimd: boolean, shared: boolean): Uint8Array<ArrayBuffer> => {
  const bytes = decode(relaxedSimd ? binaries.relaxedSimd : binaries.simd)
  return shared ? importingSharedMemory(bytes) : bytes
}

const decode = (base64: string): Uint8Array<ArrayBuffer> => {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/**
 * The same module with its memory import declared shared. The kernels use no atomics, so this flag is all that differs
 * between the two builds: in `env.memory`'s import entry, the byte after the kind (2, memory) has bit 0 for "has a
 * maximum" and bit 1 for "shared".
 */
const importingSharedMemory = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
  const name = [...'memory'].map((char) => char.charCodeAt(0))
  const at = bytes.findIndex((_, start) => name.every((byte, i) => bytes[start + i] === byte)) + name.length
  if (bytes[at] !== 2 || bytes[at + 1] !== 1) throw new Error('wasm kernels: the memory import is not where it was built')
  const patched = bytes.slice()
  patched[at + 1] = 3
  return patched
}
