import * as tf from '@tensorflow/tfjs-core'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { tfjsWasm } from '../../src/backends/tfjs-wasm/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { classToken, encoderBlock, flattenTokens, input, linear, patchEmbed, positionEmbed, takeToken } from '../../src/index.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { valueOf } from '../support/either.js'

const model = pipe(input(4, 4, 1), patchEmbed({ patchSize: 2, dim: 4 }), flattenTokens(), classToken(), positionEmbed(), encoderBlock({ numHeads: 2, mlpRatio: 1 }), takeToken(0), linear(2))

/** What tfjs's wasm backend shows of its memory. */
interface Heap {
  readonly wasm?: { readonly asm: { readonly memory: WebAssembly.Memory } }
}

describe.each([cpu, wasm, tfjsWasm])('memory on $name', backend => {
  it('is where it was after 10,000 runs, and after the program is gone', { timeout: 120_000 }, async () => {
    const device = valueOf(await backend.open())
    const heap = (): number => device.held!().bytes?.live ?? (tf.findBackend('wasm') as unknown as Heap | null)?.wasm?.asm.memory.buffer.byteLength ?? 0
    const count = (): number => device.held!().buffers
    const [tensors, empty] = [tf.memory().numTensors, count()]
    const program = valueOf(await compile(model, { backend, weights: valueOf(initialWeights(model, 1)) })())
    const x = Float32Array.from({ length: 32 }, (_, i) => i / 32)
    for (let i = 0; i < 50; i++) await program.run(x)()
    const [buffers, bytes] = [count(), heap()]
    for (let i = 0; i < 10_000; i++) await program.run(x)()
    expect(count()).toBe(buffers)
    expect(heap()).toBe(bytes)
    expect(tf.memory().numTensors).toBe(tensors)
    program.dispose()
    await program.run(x)()
    // Numbers such as 0.5 are kept for the life of the backend.
    expect(count() - empty).toBeLessThan(12)
  })

  it('is where it was after runs that fail or are aborted', async () => {
    const device = valueOf(await backend.open())
    const program = valueOf(await compile(model, { backend, weights: valueOf(initialWeights(model, 1)) })())
    await program.run(new Float32Array(16))()
    const { buffers } = device.held!()
    await program.run(new Float32Array(16), { signal: AbortSignal.abort() })()
    await program.run(new Float32Array(15) as never)()
    expect(device.held!().buffers).toBe(buffers)
    program.dispose()
  })
})
