import { right } from 'fp-ts/lib/Either.js'
import { of } from 'fp-ts/lib/TaskEither.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
import { sharedKernels } from '../../src/backends/wasm/kernels/native.js'
import { wasmLowerings } from '../../src/backends/wasm/lowerings.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { print } from '../../src/graph/print.js'
import type { Value } from '../../src/ops/definition/value.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, type Tensor } from '../../src/ops/tensor.js'
import { sizeOf } from '../../src/shape/shape.js'
import { evaluateGraph, type Leaves } from '../evaluateGraph.js'
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
beforeAll(async () => {
  // A job of nothing starts them.
  crew.run(sharedKernels.indexOf('fill'), 2, 1e6, [64, 0, 0], 0, 0)
  while (crew.ready < 2) await new Promise(resolve => setTimeout(resolve, 1))
})
afterAll(async () => {
  await crew.close()
  await alone.close()
})

const batches = [1, 7]
const given = (node: Tensor, batch: number): Float32Array => Float32Array.from(leaves(node as Tensor<'input'>, batch * sizeOf(node.shape)))

/** Where values are further from what the definitions give than rounding takes them; nothing where they are not. */
const apart = (values: readonly Float32Array[], expected: readonly Value[]): string => {
  for (const [i, { data }] of expected.slice(0, values.length).entries()) {
    const scale = data.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
    const at = values[i]!.length === data.length ? data.findIndex((v, j) => !(Math.abs(values[i]![j]! - v) <= 2e-4 * scale)) : 0
    if (at >= 0) return `root ${i}, element ${at}: ${values[i]![at]} for ${data[at]}`
  }
  return ''
}

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
        const session = valueOf(await openSession({ run: { inputs: { x, y }, outputs } }, { backend: counted, weights })())
        const held: (number | undefined)[] = []
        for (const batch of [...batches, ...batches]) {
          const fed = { x: given(x, batch), y: given(y, batch) }
          const ran = valueOf(await session.run('run', fed)())
          const wrong = apart(roots.map((_, i) => ran[`${i}`] as Float32Array), evaluateGraph(roots, batch, leaves))
          if (wrong !== '') throw new Error(`batch ${batch}, ${wrong} in\n${print(roots)}`)
          expect(fed).toEqual({ x: given(x, batch), y: given(y, batch) })
          held.push(device.held?.().buffers)
        }
        // Numbers that lowerings need are kept once they have been needed.
        expect(held[2]).toBe(held[1])
        expect(held[3]).toBe(held[1])
        for (const [name, values] of weights) expect(values).toEqual(given(graph.leaves.find(n => isOp(n, 'parameter') && n.attributes.name === name)!, 1))
        session.dispose()
      }),
      { seed: 33, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 600 : 30 },
    )
    if (name.startsWith('wasm')) expect(spared).toBeGreaterThan(100)
  })

  it('change parameters as the definitions do, step after step, also to what is given back or was another', async () => {
    await fc.assert(
      fc.asyncProperty(tallGraph, async graph => {
        const [x, y, ...parameters] = graph.leaves as readonly [Tensor, Tensor, ...Tensor<'parameter'>[]]
        const { of: gradients } = gradient(graph.loss, parameters)
        const rate = ops.scalar(0.01)
        const swapped = [ops.parameter('s', [8, 5], { kind: 'zeros' }), parameters.at(-1)!] as const
        const changed = parameters.slice(0, -1).map(parameter => ({ parameter, value: ops.subtract(parameter, ops.multiply(rate, gradients.get(parameter) ?? parameter)) }))
        const updates = [...changed, { parameter: swapped[0], value: swapped[1] }, { parameter: swapped[1], value: ops.add(ops.tanh(swapped[0]), gradients.get(swapped[1]) ?? swapped[1]) }]
        const outputs = { loss: graph.loss, first: graph.outputs[0]!, kept: updates[0]!.value, last: updates.at(-1)!.value }
        const state = new Map(updates.map(({ parameter }) => [parameter.attributes.name, given(parameter, 1)]))
        using session = valueOf(await openSession({ run: { inputs: { x, y }, outputs, updates }, look: { inputs: { x }, outputs: { s: ops.add(swapped[0], x) } } }, { backend, weights: new Map(state) })())
        for (let step = 0; step < 3; step++) {
          const now: Leaves = (node, count) => state.get(node.op === 'parameter' ? (node as Tensor<'parameter'>).attributes.name : '') ?? leaves(node, count)
          const roots = [...Object.values(outputs), ...updates.map(({ value }) => value)]
          const expected = evaluateGraph(roots, 3, now)
          const ran = valueOf(await session.run('run', { x: given(x, 3), y: given(y, 3) })())
          expect(apart(Object.keys(outputs).map(key => ran[key] as Float32Array), expected)).toBe('')
          updates.forEach(({ parameter }, i) => state.set(parameter.attributes.name, Float32Array.from(expected[i + 4]!.data)))
          const read = valueOf(await session.read()())
          expect(apart(updates.map(({ parameter }) => read.get(parameter.attributes.name)!), expected.slice(4))).toBe('')
          await session.run('look', { x: given(x, 3) })()
          // From here on both go on with the same bits.
          valueOf(await session.write(state)())
        }
      }),
      { seed: 34, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 300 : 15 },
    )
  })
})
