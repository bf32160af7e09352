import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pipe } from 'fp-ts/lib/function.js'
import { afterAll, describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { Crew } from '../../src/backends/wasm/heap/crew.js'
import { newMemory } from '../../src/backends/wasm/heap/heap.js'
import { wasmWith } from '../../src/backends/wasm/index.js'
import { bytesFor, instantiate } from '../../src/backends/wasm/kernels/instantiate.js'
import { sharedKernels } from '../../src/backends/wasm/kernels/native.js'
import { encoderBlock, flattenTokens, initialWeights, input, linear, patchEmbed, repeat, takeToken } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 1))

describe('a crew', () => {
  const memory = newMemory()
  const module = new WebAssembly.Module(bytesFor(memory, false))
  const crew = new Crew({ module, memory, native: instantiate(module, memory) }, { threads: 3, leastNanoseconds: 0 })
  afterAll(() => crew.close())
  const fill = sharedKernels.indexOf('fill')

  it('does every unit once, whoever does it, job after job', async () => {
    const size = 4096 * 37 + 5
    const numbers = new Float32Array(memory.buffer, 64, size)
    const job = (value: number): boolean => crew.run(fill, 38, 1e6, [64, size, value], 0, 0)
    expect(job(1)).toBe(false) // nobody is there yet
    while (crew.ready < 2) await settled()
    for (let value = 2; value < 3000; value++) {
      if (value % 500 === 0) await settled() // the workers go to sleep
      expect(job(value)).toBe(true)
      expect(numbers[(value * 997) % size]).toBe(value)
    }
    expect(numbers.every(x => x === 2999)).toBe(true)
    expect(new Float32Array(memory.buffer, 64 + 4 * size, 4)).toEqual(new Float32Array(4))
  })

  it('tells of a kernel that fails, and works on', () => {
    const outside = memory.buffer.byteLength
    expect(() => crew.run(fill, 2, 1e6, [outside, 8192, 1], 0, 0)).toThrow()
    expect(crew.run(fill, 2, 1e6, [64, 8192, 7], 0, 0)).toBe(true)
    expect(new Float32Array(memory.buffer, 64, 8192).every(x => x === 7)).toBe(true)
  })

  it('leaves work to the calling thread once it is closed', async () => {
    await crew.close()
    expect(crew.run(fill, 38, 1e6, [64, 4096, 1], 0, 0)).toBe(false)
    await crew.close()
  })
})

describe('wasm on several threads', () => {
  const model = pipe(input(64, 64, 3), patchEmbed({ patchSize: 8, dim: 96 }), flattenTokens(), repeat(2, encoderBlock({ numHeads: 3 })), takeToken(0), linear(10))
  const weights = valueOf(initialWeights(model, 1))
  const x = Float32Array.from({ length: 3 * 64 * 64 * 3 }, (_, i) => Math.sin(i))

  it('gives the bits of one thread', async () => {
    const backends = [1, 2, 3].map(threads => wasmWith({ threads }))
    const programs = await Promise.all(backends.map(async backend => valueOf(await compile(model, { backend, weights })())))
    const first = valueOf(await programs[0]!.run(x)())
    for (let round = 0; round < 20; round++) {
      await settled()
      for (const program of programs) expect(valueOf(await program.run(x)())).toEqual(first)
    }
    for (const backend of backends) await backend.close()
    // What is compiled goes on.
    expect(valueOf(await programs[2]!.run(x)())).toEqual(first)
  })

  it('refuses a number of threads that is none', async () => {
    expect(problemOf(await wasmWith({ threads: 0 }).open())).toMatchObject({ code: 'badOption', sentence: 'wasm: threads must be a whole number from 1 on, but is 0' })
  })

  it('runs on one thread where memory cannot be shared', async () => {
    const shared = globalThis.SharedArrayBuffer
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer')
    try {
      const program = valueOf(await compile(model, { backend: wasmWith({ threads: 4 }), weights })())
      expect(valueOf(await program.run(x)()).length).toBe(30)
    } finally {
      globalThis.SharedArrayBuffer = shared
    }
  })

  it('ends with its process, needs no tfjs, and says so by loading none', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    const script = `
      import { wasmWith } from 'vitrail/backends/wasm'
      const { right: device } = await wasmWith({ threads: 3 }).open()
      const x = device.upload(new Float32Array(1 << 22), [1, 1 << 22], 'float32')
      const node = { op: 'exp', inputs: [{ shape: [1 << 22], batched: false }], attributes: {}, shape: [1 << 22], dtype: 'float32', batched: false }
      const kernel = device.kernel(node, 1).right
      for (let i = 0; i < 50; i++) { device.free(kernel.run([x])); await new Promise(resolve => setTimeout(resolve, 1)) }
      // tfjs's core puts its engine here
      console.log('done', globalThis._tfengine)`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8', timeout: 20_000 })
    expect([status, stdout, stderr]).toEqual([0, 'done undefined\n', ''])
  })
})
