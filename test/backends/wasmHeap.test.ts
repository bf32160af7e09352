import { describe, expect, it, vi } from 'vitest'
import { Allocator } from '../../src/backends/wasm/heap/allocator.js'
import { Heap, newMemory } from '../../src/backends/wasm/heap/heap.js'
import { wasmWith } from '../../src/backends/wasm/index.js'
import { problemOf } from '../support/either.js'
import { uniform } from './kernels/uniform.js'

/** Space that can grow to a limit, and how far it has. */
const space = (end: number, limit: number): { readonly allocator: Allocator; readonly grown: () => number } => {
  let at = end
  return { allocator: new Allocator(64, end, bytes => (at + bytes > limit ? undefined : (at += bytes))), grown: () => at }
}

describe('the allocator', () => {
  it('never hands out what is in use, keeps count, and joins what is free again', () => {
    const { allocator, grown } = space(4096, 2 ** 30)
    const next = uniform(5)
    const blocks = new Map<number, number>()
    let most = 0
    const live = (): number => [...blocks.values()].reduce((total, size) => total + Math.max(64, Math.ceil(size / 64) * 64), 0)
    for (let round = 0; round < 3000; round++) {
      const keep = blocks.size < 40 && next() > -0.1
      if (keep || blocks.size === 0) {
        const size = Math.floor(Math.abs(next()) ** 3 * 10_000)
        const at = allocator.allocate(size)!
        expect(at % 64).toBe(0)
        expect(at).toBeGreaterThan(0)
        for (const [other, taken] of blocks) expect(at + size <= other || other + Math.max(1, taken) <= at).toBe(true)
        blocks.set(at, size)
      } else {
        const [at] = [...blocks.keys()].slice(Math.floor(Math.abs(next()) * blocks.size))
        allocator.release(at!)
        blocks.delete(at!)
      }
      most = Math.max(most, live())
      expect(allocator.statistics).toEqual({ live: live(), peak: most, reserved: grown() })
    }
    for (const at of blocks.keys()) allocator.release(at)
    // All is one block again: it can be had whole without growing.
    const whole = grown() - 64
    expect(allocator.allocate(whole)).toBe(64)
    expect(grown()).toBe(whole + 64)
  })

  it('takes the smallest block that fits, and gives the same addresses to the same requests', () => {
    const run = (): readonly number[] => {
      const { allocator } = space(64 * 100, 64 * 100)
      const [a, , b, , c] = [10, 1, 3, 1, 5, 1].map(lines => allocator.allocate(lines * 64)!)
      for (const at of [a, b, c]) allocator.release(at!)
      return [2, 4, 9].map(lines => allocator.allocate(lines * 64)!)
    }
    expect(run()).toEqual([64 * 12, 64 * 16, 64])
    expect(run()).toEqual(run())
  })

  it('gives nothing where memory is full, and goes on', () => {
    const { allocator } = space(64 * 3, 64 * 4)
    expect(allocator.allocate(64 * 4)).toBeUndefined()
    const at = allocator.allocate(64 * 3)!
    expect(allocator.allocate(1)).toBeUndefined()
    allocator.release(at)
    expect(() => allocator.release(at)).toThrow('there is no block at 64')
    expect(allocator.allocate(1)).toBe(64)
  })
})

describe('the heap', () => {
  it('keeps the numbers of tensors while memory grows, and frees what is shared with its last holder', () => {
    const heap = new Heap(newMemory())
    const x = heap.tensor([2, 3])
    heap.values(x).set([1, 2, 3, 4, 5, 6])
    const before = heap.memory.buffer.byteLength
    const large = heap.tensor([before / 4 + 1])
    expect(heap.memory.buffer.byteLength).toBeGreaterThan(before)
    const y = heap.reshape(x, [3, 2])
    heap.free(x)
    expect([...heap.values(y)]).toEqual([1, 2, 3, 4, 5, 6])
    expect(heap.held.buffers).toBe(2)
    heap.free(y)
    heap.free(large)
    expect(heap.held).toMatchObject({ buffers: 0, bytes: { live: 0 } })
    expect(() => heap.reshape(x, [4])).toThrow('does not have the elements of [4]')
  })

  it('says what there was no memory for', () => {
    const heap = new Heap(new WebAssembly.Memory({ initial: 1, maximum: 2 }))
    expect(() => heap.tensor([64, 1024])).toThrow('no memory left for a tensor of shape [64, 1024]')
    expect(heap.address(heap.tensor([16, 1024]))).toBe(64)
  })
})

it('where no memory can be had, as under `ulimit -v`, the backend says what helps', async () => {
  const none = vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () {
    throw new RangeError('WebAssembly.Memory(): could not allocate memory')
  })
  const opened = await wasmWith({ threads: 1 }).open().finally(() => none.mockRestore())
  expect(problemOf(opened)).toMatchObject({ code: 'backendBroken', sentence: expect.stringMatching(/^wasm: does not start: .*memory/) as string, remedy: expect.stringContaining('--disable-wasm-trap-handler') as string })
})
