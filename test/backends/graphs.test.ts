import { right } from 'fp-ts/lib/Either.js'
import { of } from 'fp-ts/lib/TaskEither.js'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Backend, Device } from '../../src/backends/device.js'
import { openSession } from '../../src/backends/openSession.js'
import { reference } from '../../src/backends/reference/index.js'
import { kernelDevice } from '../../src/backends/tfjs/kernelDevice.js'
import { tfjsWasm } from '../../src/backends/tfjs-wasm/index.js'
import { Crew } from '../../src/backends/wasm/heap/crew.js'
import { Heap, newMemory } from '../../src/backends/wasm/heap/heap.js'
import { heapHost } from '../../src/backends/wasm/heap/heapHost.js'
import { wasmWith } from '../../src/backends/wasm/index.js'
import { bytesFor, instantiate } from '../../src/backends/wasm/kernels/instantiate.js'
import { wasmLowerings } from '../../src/backends/wasm/lowerings.js'
import { print } from '../../src/graph/print.js'
import { isOp, type Tensor } from '../../src/ops/tensor.js'
import { sizeOf } from '../../src/shape/shape.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { leaves } from '../passes/randomGraph.js'
import { tallGraph, withGradients } from '../passes/tallGraph.js'
import { valueOf } from '../support/either.js'

/** Three threads that share every job, however small. */
const memory = newMemory()
const module = new WebAssembly.Module(bytesFor(memory, false))
const native = instantiate(module, memory)
const crew = new Crew({ module, memory, native }, { threads: 3, leastNanoseconds: 0 })
const eager: Backend = { name: 'wasm', open: of(kernelDevice(heapHost('wasm', new Heap(memory), native, false, crew), wasmLowerings) as Device) }
const alone = wasmWith({ threads: 1 })
afterAll(async () => {
  await crew.close()
  await alone.close()
})

const batches = [1, 7]
const given = (node: Tensor, batch: number): Float32Array => Float32Array.from(leaves(node as Tensor<'input'>, batch * sizeOf(node.shape)))

/** How many results were written over an input, in all runs. */
let spared = 0
const counting = (device: Device): Device => ({
  ...device,
  kernel: (node, batch) => {
    const found = device.kernel(node, batch)
    return found._tag === 'Left' ? found : right({ ...found.right, run: (inputs, spare) => (spared += Number(spare !== undefined), found.right.run(inputs, spare)) })
  },
})

describe.each([['reference', reference], ['cpu', cpu], ['tfjs-wasm', tfjsWasm], ['wasm', alone], ['wasm, every job shared by three threads', eager]] as const)('random graphs and their gradients on %s', (name, backend) => {
  it('give what the definitions give, run after run, and leave what they were given as it was', async () => {
    const device = valueOf(await backend.open())
    const counted: Backend = { name: backend.name, open: of(counting(device)) }
    await fc.assert(
      fc.asyncProperty(tallGraph, async graph => {
        const roots = withGradients(graph)
        const outputs = Object.fromEntries(roots.map((root, i) => [`${i}`, root]))
        const weights = new Map(graph.leaves.filter(n => isOp(n, 'parameter')).map(n => [(n as Tensor<'parameter'>).attributes.name, given(n, 1)]))
        const [x, y] = graph.leaves as readonly [Tensor, Tensor]
        const before = device.held?.().buffers
        const session = valueOf(await openSession({ run: { inputs: { x, y }, outputs } }, { backend: counted, weights })())
        const ready = device.held?.().buffers
        for (const batch of [...batches, batches[0]!]) {
          const fed = { x: given(x, batch), y: given(y, batch) }
          const ran = valueOf(await session.run('run', fed)())
          evaluateGraph(roots, batch, leaves).forEach(({ data }, i) => {
            const values = ran[`${i}`] as Float32Array
            const scale = data.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
            const at = data.findIndex((v, j) => !(Math.abs(values[j]! - v) <= 2e-4 * scale))
            if (at >= 0 || values.length !== data.length) throw new Error(`batch ${batch}, root ${i}, element ${at}: ${values[at]} for ${data[at]} in\n${print(roots)}`)
          })
          expect(fed).toEqual({ x: given(x, batch), y: given(y, batch) })
        }
        expect(device.held?.().buffers).toBe(ready)
        for (const [name, values] of weights) expect(values).toEqual(given(graph.leaves.find(n => isOp(n, 'parameter') && n.attributes.name === name)!, 1))
        session.dispose()
        await new Promise(resolve => setImmediate(resolve))
        expect(device.held?.().buffers).toBe(before)
      }),
      { seed: 33, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 600 : 40 },
    )
    if (name.startsWith('wasm')) expect(spared).toBeGreaterThan(100)
  })
})
