import type { TensorInfo } from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { attention, matMul } from './definitions.js'
import { binaries, expectClose, loadBackend, random, sizeOf, type Dense } from './support.js'

interface Backend {
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory } }
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo
  disposeData(id: object): boolean
}

// Its own file, so its own process: the memory is reserved and hardly touched, but it does not shrink again.
describe.each(binaries)('addresses above 2 GiB, $name', ({ relaxedSimd }) => {
  it('every pointer is unsigned', async () => {
    const loaded = await loadBackend(relaxedSimd)
    const { kernels, backend } = { ...loaded, backend: loaded.backend as unknown as Backend }
    const filler = Array.from({ length: 23 }, () => backend.makeOutput([25 * 2 ** 20], 'float32'))
    const start = Math.max(...filler.map(kernels.address))
    expect(start).toBeGreaterThan(2 ** 31)

    // everything, scratch too, in the one large tensor
    let free = start
    const reserve = (floats: number): number => (free += floats * 4 + 64) - floats * 4
    const put = ({ values }: Dense): number => {
      const at = reserve(values.length)
      new Float32Array(backend.wasm.asm.memory.buffer, at, values.length).set(values)
      return at
    }
    const take = (at: number, shape: number[]): Dense => ({
      shape,
      values: new Float32Array(backend.wasm.asm.memory.buffer, at, sizeOf(shape)).slice(),
    })

    const [a, b] = [random([9, 17], 1), random([17, 11], 2)]
    const [packed, left, product, scratch] = [reserve(2 * 17 * 8), reserve(12 * 17), reserve(99), reserve(1e5)]
    kernels.native.packRight(put(b), 17, 11, 11, 1, packed, scratch, 0, 2)
    kernels.native.packLeft(put(a), 9, 17, 17, 1, left, scratch, 0, 1)
    kernels.native.multiply(left, 9, 17, packed, 11, 0, 0, 0, product, 11, 0, scratch, 0, kernels.native.multiplyUnits(9, 11))
    const expected = matMul(a, b)
    expectClose(take(product, [9, 11]), expected, (i) => 2e-6 * expected.magnitude[i]!)

    const [q, k, v] = [random([2, 5, 12], 3), random([2, 7, 12], 4), random([2, 7, 12], 5)]
    const mixed = reserve(120)
    const plan = reserve(64)
    // heads, queries, keys, channels; image, head and token strides of q, k, v, the result and the bias; the one image
    new Int32Array(backend.wasm.asm.memory.buffer, plan, 23).set([2, 5, 7, 12, 120, 60, 12, 168, 84, 12, 168, 84, 12, 120, 60, 12, 0, 0, 0, 0, 0, 0, 0])
    kernels.native.attention(put(q), put(k), put(v), 0, mixed, plan, 0.5, scratch, 0, 2)
    expectClose(take(mixed, [2, 5, 12]), attention(q, k, v, 0.5), 2e-6)
    for (const tensor of filler) backend.disposeData(tensor.dataId)
  })
})
