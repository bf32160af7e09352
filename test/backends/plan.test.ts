import { map, right } from 'fp-ts/lib/Either.js'
import { of } from 'fp-ts/lib/TaskEither.js'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { Device, Kernel } from '../../src/backends/device.js'
import { Memory } from '../../src/backends/memory.js'
import { openSession } from '../../src/backends/openSession.js'
import { plan } from '../../src/backends/plan.js'
import { planBytes } from '../../src/backends/planBytes.js'
import { plannedOn } from '../../src/backends/planned.js'
import { prepare } from '../../src/backends/prepare.js'
import { wasmWith } from '../../src/backends/wasm/index.js'
import { collectNodes } from '../../src/graph/graph.js'
import { evaluate } from '../../src/ops/definition/define.js'
import { fill, type Value } from '../../src/ops/definition/value.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, isRenaming, tensorsOf, type Tensor } from '../../src/ops/tensor.js'
import { sizeOf } from '../../src/shape/shape.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { leaves, randomGraph } from '../passes/randomGraph.js'
import { valueOf } from '../support/either.js'

/** A device on which every kernel writes over whatever it may, and renamings share memory. */
const careless: Device<Value> = {
  name: 'careless',
  kernel: (node, batch) =>
    right({
      overwrites: Infinity,
      run: (inputs, spare) => {
        const value = evaluate(node, inputs, batch)
        const target = isRenaming(node) || node.op === 'after' ? inputs[0]! : inputs[spare ?? -1]
        if (target === undefined) return value
        target.data.set(value.data)
        return { ...value, data: target.data }
      },
    }),
  upload: (values, shape) => fill(shape, i => values[i]!),
  download: ({ data }) => Promise.resolve(Float32Array.from(data)),
  free: ({ data }) => void data.fill(Number.NaN),
}

/** The values of some roots, walked by their plan on that device; nothing is filled with NaN that shares memory and is still there. */
const walked = (roots: readonly Tensor[]): { readonly values: readonly Value[]; readonly spared: number } => {
  const holders = new Map<Float64Array, number>()
  const count = (buffer: Value, by: number): number => {
    const now = (holders.get(buffer.data) ?? 0) + by
    holders.set(buffer.data, now)
    return now
  }
  const device: Device<Value> = { ...careless, free: buffer => void (count(buffer, -1) === 0 && careless.free(buffer)) }
  const memory = new Memory(device)
  const { steps } = valueOf(plan(device, collectNodes(roots), new Set(roots), 2))
  for (const { node, kernel, frees, spare } of steps) {
    const shape = [node.batched ? 2 : 1, ...node.shape]
    if (isOp(node, 'constant')) memory.set(node, fill(shape, i => node.attributes.data[i]!))
    else if (isOp(node, 'input') || isOp(node, 'parameter') || isOp(node, 'dropMask')) {
      const given = leaves(node, sizeOf(shape))
      memory.set(node, fill(shape, i => given[i]!))
    } else memory.run(node, kernel, undefined, spare)
    count(memory.need(node), 1)
    memory.free(frees)
  }
  return { values: roots.map(root => memory.need(root)), spared: steps.filter(({ spare }) => spare !== undefined).length }
}

const [x, y] = [ops.input('x', [2, 3]), ops.input('y', [2, 3])]
const sparedBy = (...roots: readonly Tensor[]): readonly string[] => valueOf(plan(careless, collectNodes(roots), new Set(roots), 2)).steps.flatMap(({ node, spare }) => (spare === undefined ? [] : [`${node.op} ${spare}`]))

describe('results written over an input', () => {
  it('never change what is read later: random graphs compute what they did', () => {
    let spared = 0
    fc.assert(
      fc.property(randomGraph, signals => {
        const roots = [...new Set(signals.flatMap(tensorsOf))]
        const own = walked(roots)
        spared += own.spared
        evaluateGraph(roots, 2, leaves).forEach(({ data }, root) => expect([...own.values[root]!.data]).toEqual([...data]))
      }),
      { seed: 11, numRuns: 300 },
    )
    expect(spared).toBeGreaterThan(500)
  })

  it('take the first input that ends there', () => {
    const [one, other] = [ops.exp(x), ops.exp(y)]
    expect(sparedBy(ops.add(one, other))).toEqual(['exp 0', 'exp 0', 'add 0'])
    expect(sparedBy(ops.add(one, other), one)).toEqual(['exp 0', 'exp 0', 'add 1'])
    expect(sparedBy(ops.add(one, other), one, other)).toEqual(['exp 0', 'exp 0'])
  })

  const w = ops.parameter('w', [2, 3], { kind: 'zeros' })
  it.each<readonly [string, readonly Tensor[]]>([
    ['a parameter', [ops.relu(w)]],
    ['a constant', [ops.relu(ops.constant(new Float32Array(3), [3]))]],
    ['a reshape of a parameter', [ops.relu(ops.reshape(w, [3, 2]))]],
    ['a result', [x, ops.relu(x)]],
    ['what a result shows in another shape', [ops.reshape(x, [6]), ops.relu(x)]],
    ['an operand that is repeated', [ops.add(ops.input('z', [3]), w)]],
    ['a mean over the batch, for what each sample has', [ops.multiply(ops.batchSum(x), x), x]],
  ])('do not take %s', (_, roots) => expect(sparedBy(...roots)).toEqual([]))

  it('do not take what is computed once for all runs', async () => {
    const [once, slow] = [ops.exp(w), ops.batchSum(x)]
    expect(valueOf(plan(careless, [x, slow, ops.add(once, slow)], new Set(), 2)).steps.map(({ spare }) => spare)).toEqual([undefined, undefined, 1])
    using session = valueOf(await openSession({ run: { inputs: x, outputs: { sum: ops.maximum(once, ops.batchSum(x)) } } }, { backend: wasmWith({ threads: 1 }), weights: new Map([['w', new Float32Array(6)]]) })())
    for (const value of [5, 0]) expect(valueOf(await session.run('run', new Float32Array(12).fill(value))())['sum']).toEqual(new Float32Array(6).fill(Math.max(1, 2 * value)))
  })

  it('count once in the bytes of a plan', () => {
    const chain = ops.tanh(ops.exp(ops.relu(x)))
    const prepared = valueOf(prepare({ run: { inputs: x, outputs: { chain } } }, [], roots => roots))
    const run = prepared.routines.get('run')!
    const peakOn = (device: Device<Value>): number => planBytes(prepared, valueOf(plannedOn(device as Device, run, 4)), 0).peak
    const careful: Device<Value> = { ...careless, kernel: (node, batch) => map(({ run }: Kernel<Value>) => ({ run }))(careless.kernel(node, batch)) }
    expect([peakOn(careless), peakOn(careful)]).toEqual([4 * 6 * 4, 2 * 4 * 6 * 4])
  })
})

describe('what wasm writes over an input has the bits that it has elsewhere', () => {
  const backends = [1, 3].map(threads => wasmWith({ threads }))
  afterAll(async () => {
    for (const backend of backends) await backend.close()
  })
  const z = ops.input('z', [300, 41])
  const gamma = ops.parameter('gamma', [41], { kind: 'zeros' })
  // Made in the run, and read by one op alone: they may be written over.
  const [a, b] = [ops.multiply(z, ops.scalar(3)), ops.subtract(z, ops.scalar(0.2))]
  const weights = new Map([['gamma', Float32Array.from({ length: 41 }, (_, i) => Math.sin(i + 1))]])
  const given = Float32Array.from({ length: 3 * 300 * 41 }, (_, i) => Math.cos(i * 0.7))
  const steps = [{ op: 'multiply', of: [0, 2] }, { op: 'tanh', of: [3] }, { op: 'add', of: [4, 1] }, { op: 'multiply', of: [5, 0] }] as const

  it.each<readonly [string, Tensor]>([
    ['a sum', ops.add(a, b)],
    ['a quotient', ops.divide(a, b)],
    ['a function', ops.tanh(a)],
    ['softmax', ops.softmax(a)],
    ['layer norm', ops.layerNorm(a, 1e-6, { gamma, beta: gamma })],
    ['gelu', ops.gelu(a)],
    ['the gradient of gelu', ops.geluGradient(a, b)],
    ['the gradient of gelu, over the other', ops.geluGradient(z, b)],
    ['the gradient of softmax', ops.softmaxGradient(a, b)],
    ['the gradient of softmax, over the other', ops.softmaxGradient(z, b)],
    ['the gradient of layer norm', ops.layerNormGradient(a, b, 1e-6, gamma)],
    ['the gradient of layer norm, over the other', ops.layerNormGradient(z, b, 1e-6, gamma)],
    ['several steps', ops.elementwise([a, b, gamma], steps)],
    ['several steps, over the second', ops.elementwise([z, b, gamma], steps)],
  ])('%s', async (_, result) => {
    for (const backend of backends) {
      const device = valueOf(await backend.open())
      let over = 0
      const ran = async (isAllowed: boolean) => {
        const kernel: Device['kernel'] = (node, batch) => map((found: Kernel<unknown>) => ({
          ...found,
          overwrites: isAllowed ? found.overwrites ?? 0 : 0,
          run: (inputs: readonly unknown[], spare?: number) => {
            over += Number(spare !== undefined && node === result)
            return found.run(inputs, spare)
          },
        }))(device.kernel(node, batch))
        using session = valueOf(await openSession({ run: { inputs: z, outputs: { result, z } } }, { backend: { name: 'wasm', open: of({ ...device, kernel }) }, weights, asGiven: true })())
        return valueOf(await session.run('run', given)())
      }
      const fresh = await ran(false)
      expect(over).toBe(0)
      const own = await ran(true)
      expect(over).toBe(1)
      expect(own).toEqual(fresh)
    }
  })
})
