import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Backend } from '../../src/backends/device.js'
import type { Routine } from '../../src/backends/prepare.js'
import { reference } from '../../src/backends/reference/index.js'
import { openSession } from '../../src/backends/openSession.js'
import { wasm } from '../../src/backends/wasm/index.js'
import * as ops from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { valueOf } from '../support/either.js'

const zeros = { kind: 'constant', value: 0 } as never
const param = (name: string, shape: readonly number[], role: 'trained' | 'buffer' = 'trained') => ops.parameter(name, shape, zeros, role)

/** Mean-squared fit of y = x·w by gradient descent with momentum, the gradient written out by hand. */
const fit = (): { readonly step: Routine; readonly predict: Routine } => {
  const x = ops.input('x', [3])
  const y = ops.input('y', [1])
  const [w, m, rate] = [param('w', [1, 3]), param('m', [1, 3], 'buffer'), param('rate', [], 'buffer')]
  const error = ops.subtract(ops.linear(x, w), y)
  const loss = ops.batchMean(ops.reshape(ops.multiply(error, error), []))
  const gradient = ops.reshape(ops.batchMean(ops.multiply(ops.multiply(error, ops.scalar(2)), x)), [1, 3])
  const momentum = ops.add(ops.multiply(m, ops.scalar(0.9)), gradient)
  const next = ops.subtract(w, ops.multiply(rate, momentum))
  const other = ops.input('x', [3])
  return {
    step: { inputs: { x, y }, outputs: { loss }, updates: [{ parameter: w, value: next }, { parameter: m, value: momentum }], guards: ['loss'] },
    // Traced on its own, as a model in inference mode is: the same name is the same parameter.
    predict: { inputs: other, outputs: { y: ops.linear(other, param('w', [1, 3])) } },
  }
}

/** The same by plain numbers. */
const byHand = (x: Float32Array, y: Float32Array, steps: number): readonly number[] => {
  let [w, m] = [[0, 0, 0], [0, 0, 0]]
  const batch = y.length
  for (let s = 0; s < steps; s++) {
    const errors = [...y].map((target, i) => w.reduce((total, weight, j) => total + weight * x[3 * i + j]!, 0) - target)
    const g = w.map((_, j) => errors.reduce((total, e, i) => total + (2 * e * x[3 * i + j]!) / batch, 0))
    m = m.map((value, j) => 0.9 * value + g[j]!)
    w = w.map((value, j) => value - 0.05 * m[j]!)
  }
  return w
}

const x = Float32Array.of(1, 2, 3, 0, 1, -1, 2, 0, 1, -1, 1, 0)
const y = Float32Array.of(14, -1, 5, 1)
const start = new Map([['w', new Float32Array(3)], ['m', new Float32Array(3)], ['rate', Float32Array.of(0.05)]])
const backends: readonly (readonly [string, Backend])[] = [['reference', reference], ['cpu', cpu], ['wasm', wasm]]

const openFit = async (backend: Backend, weights: ReadonlyMap<string, Float32Array> = start) => valueOf(await openSession(fit(), { backend, weights, variables: ['rate'] })())

describe.each(backends)('a session on %s', (_, backend) => {
  const open = (weights?: ReadonlyMap<string, Float32Array>) => openFit(backend, weights)

  it('changes its parameters step by step, as plain numbers do', async () => {
    using session = await open()
    for (let i = 0; i < 20; i++) valueOf(await session.run('step', { x, y })())
    const w = valueOf(await session.read(['w'])()).get('w')!
    byHand(x, y, 20).forEach((value, i) => expect(w[i]).toBeCloseTo(value, 4))
    const { y: predicted } = valueOf(await session.run('predict', x)()) as { readonly y: Float32Array }
    expect(predicted[0]).toBeCloseTo(w[0]! + 2 * w[1]! + 3 * w[2]!, 4)
  })

  it('goes on from what was read as if it had never stopped', async () => {
    using whole = await open()
    for (let i = 0; i < 8; i++) valueOf(await whole.run('step', { x, y })())
    using first = await open()
    for (let i = 0; i < 3; i++) valueOf(await first.run('step', { x, y })())
    using second = await open(valueOf(await first.read()()))
    for (let i = 0; i < 5; i++) valueOf(await second.run('step', { x, y })())
    expect(valueOf(await second.read()())).toEqual(valueOf(await whole.read()()))
  })

  it('takes values that are written, and says what it cannot take', async () => {
    using session = await open()
    valueOf(await session.write(new Map([['rate', Float32Array.of(0)]]))())
    valueOf(await session.run('step', { x, y })())
    expect(valueOf(await session.read(['w'])()).get('w')).toEqual(new Float32Array(3))
    expect(await session.write(new Map([['nothing', new Float32Array(1)]]))()).toMatchObject({ _tag: 'Left', left: { code: 'noSuchParameter' } })
    expect(await session.write(new Map([['w', new Float32Array(2)]]))()).toMatchObject({ _tag: 'Left', left: { code: 'weightMisfit' } })
  })

  it('changes nothing where a guard is not finite, and finds the op where it began', async () => {
    using session = await open(new Map([...start, ['w', Float32Array.of(1, 1, 1)]]))
    const bad = Float32Array.from(x)
    bad[4] = Infinity
    expect(await session.run('step', { x: bad, y })()).toMatchObject({ _tag: 'Left', left: { code: 'notFinite' } })
    expect(valueOf(await session.read(['w'])()).get('w')).toEqual(Float32Array.of(1, 1, 1))
    expect(valueOf(await session.firstNotFinite('step', { x: bad, y })())?.op).toBe('input')
    expect(valueOf(await session.firstNotFinite('step', { x, y })())).toBeUndefined()
    valueOf(await session.run('step', { x, y })())
  })

  it('gives each of two parameters its own copy of one value, and lets them change places', async () => {
    const [a, b, c] = [param('a', [2]), param('b', [2]), param('c', [2])]
    const put = ops.input('x', [2])
    const sum = ops.batchMean(put)
    const routines = { swap: { inputs: put, outputs: {}, updates: [{ parameter: a, value: b as Tensor }, { parameter: b, value: a as Tensor }] }, both: { inputs: put, outputs: {}, updates: [{ parameter: a, value: sum as Tensor }, { parameter: c, value: sum as Tensor }] } }
    const weights = new Map([['a', Float32Array.of(1, 2)], ['b', Float32Array.of(3, 4)], ['c', Float32Array.of(5, 6)]])
    using session = valueOf(await openSession(routines, { backend, weights })())
    valueOf(await session.run('swap', new Float32Array(2))())
    expect(valueOf(await session.read()())).toEqual(new Map([['a', Float32Array.of(3, 4)], ['b', Float32Array.of(1, 2)], ['c', Float32Array.of(5, 6)]]))
    valueOf(await session.run('both', Float32Array.of(7, 8))())
    valueOf(await session.run('both', Float32Array.of(9, 10))())
    expect(valueOf(await session.read(['c', 'a'])())).toEqual(new Map([['c', Float32Array.of(9, 10)], ['a', Float32Array.of(9, 10)]]))
  })
})

it.each([cpu, wasm])('leaves nothing behind on $name', async backend => {
  const device = valueOf(await backend.open())
  const count = () => device.held!().buffers
  const before = count()
  {
    using session = await openFit(backend)
    valueOf(await session.run('step', { x, y })())
    const running = count()
    for (let i = 0; i < 50; i++) valueOf(await session.run('step', { x, y })())
    await session.run('step', { x: Float32Array.from(x, () => NaN), y })()
    await session.firstNotFinite('step', { x, y })()
    expect(count()).toBe(running)
  }
  await new Promise(resolve => setTimeout(resolve, 0))
  expect(count()).toBeLessThanOrEqual(before + 6)
})

it('states the bytes of a run before it: parameters, and the most held at one time', async () => {
  const input = ops.input('x', [100])
  const w = param('w', [100])
  const v = param('v', [100])
  // x is held while x·w is made, then only the product, until e^ of it; the new v stands beside the old.
  const product = ops.multiply(input, w)
  const routines = { run: { inputs: input, outputs: { y: ops.sum(ops.exp(product), [0]) }, updates: [{ parameter: v, value: ops.add(v, w) }] } }
  using session = valueOf(await openSession(routines, { backend: reference, weights: new Map([['w', new Float32Array(100)], ['v', new Float32Array(100)]]) })())
  expect(session.bytes('run', 8)).toMatchObject({ _tag: 'Right', right: { parameters: 800, peak: 800 + 2 * 8 * 400 } })
})

describe('a weight that two routines read in the same form', () => {
  const w = param('w', [40, 48])
  const routineOn = (name: string): Routine => {
    const z = ops.input(name, [48])
    return { inputs: z, outputs: { y: ops.linear(z, w), twice: ops.linear(ops.multiply(z, ops.scalar(2)), w) } }
  }
  it.each<readonly [string, Backend]>([['wasm', wasm], ['cpu', cpu]])('is held once on %s, and freed once', async (_, backend) => {
    const device = valueOf(await backend.open())
    const before = device.held!().buffers
    const session = valueOf(await openSession({ one: routineOn('a'), other: routineOn('b') }, { backend, weights: new Map([['w', Float32Array.from({ length: 1920 }, (_, i) => Math.sin(i))]]) })())
    const given = Float32Array.from({ length: 96 }, (_, i) => Math.cos(i))
    const [one, other] = [valueOf(await session.run('one', given)()), valueOf(await session.run('other', given)())]
    expect(one).toEqual(other)
    const row = (i: number): Float32Array => given.subarray(Math.floor(i / 40) * 48, Math.floor(i / 40 + 1) * 48)
    ;(one['y'] as Float32Array).forEach((y, i) => expect(y).toBeCloseTo(row(i).reduce((sum, value, k) => sum + value * Math.sin((i % 40) * 48 + k), 0), 4))
    // The weight in that form, and the number 2.
    expect(valueOf(session.bytes('one', 2)).parameters).toBe(1920 * 4 + 4)
    session.dispose()
    await session.run('one', given)()
    // Numbers may be kept for the life of the backend.
    expect(device.held!().buffers - before).toBeLessThan(2)
  })
})
