import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Routine } from '../../src/backends/prepare.js'
import { openSession } from '../../src/backends/openSession.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import * as ops from '../../src/ops/ops.js'
import { problemOf, valueOf } from '../support/either.js'

const param = (name: string, shape: readonly number[]) => ops.parameter(name, shape, { kind: 'zeros' })

/** Adds to the first `count` of four numbers their share of the input, times what a table says. */
const step = (count: number): Routine => {
  const x = ops.input('x', [])
  const w = param('w', [4])
  const table = ops.constant(Float32Array.from({ length: count }, (_, i) => i + 1), [count])
  const sum = ops.batchMean(ops.reshape(ops.multiply(table, x), [count]))
  return { inputs: { x }, outputs: { total: ops.sum(ops.slice(w, [0], [count]), [0]) }, updates: [{ parameter: w, value: ops.add(w, ops.pad(sum, [0], [4])) }] }
}
const open = (backend: typeof cpu) => openSession({ step: step(4) }, { backend, weights: new Map([['w', Float32Array.of(1, 1, 1, 1)]]) })()

describe.each([reference, cpu, wasm])('a variant of a routine on $name', backend => {
  it('works on the same parameters, and so do the others after it', async () => {
    const session = valueOf(await open(backend))
    const small = valueOf(await session.variant(step(2))())
    expect(valueOf(await session.run('step', { x: Float32Array.of(10, 30) }, { variant: small })())['total']).toEqual(Float32Array.of(2))
    expect(valueOf(await session.read()()).get('w')).toEqual(Float32Array.of(21, 41, 1, 1))
    expect(valueOf(await session.run('step', { x: Float32Array.of(1) })())['total']).toEqual(Float32Array.of(64))
    expect(valueOf(await session.run('step', { x: Float32Array.of(1) }, { variant: small })())['total']).toEqual(Float32Array.of(65))
    expect(valueOf(await session.read()()).get('w')).toEqual(Float32Array.of(23, 45, 4, 5))
    session.dispose()
  })

  it('holds its constants until it is disposed of', async () => {
    const device = valueOf(await backend.open())
    const session = valueOf(await open(backend))
    valueOf(await session.run('step', { x: Float32Array.of(1) })())
    const before = device.held?.().buffers
    for (let count = 1; count <= 3; count++) {
      const variant = valueOf(await session.variant(step(count))())
      valueOf(await session.run('step', { x: Float32Array.of(1) }, { variant })())
      variant.dispose()
    }
    valueOf(await session.read()())
    expect(device.held?.().buffers).toBe(before)
    session.dispose()
  })
})

it('a variant can use no parameter that the session does not change', async () => {
  const session = valueOf(await open(cpu))
  const x = ops.input('x', [])
  expect(problemOf(await session.variant({ inputs: { x }, outputs: { y: ops.multiply(param('other', []), x) } })())).toMatchObject({ code: 'noSuchParameter', sentence: "parameters: 'other' is none that this session may change, and a routine that is made later can use no other" })
  expect(problemOf(await session.variant({ inputs: { x }, outputs: { y: ops.multiply(param('w', [3]), x) } })()).code).toBe('parameterMisfit')
  session.dispose()
  expect(problemOf(await session.variant(step(1))()).code).toBe('disposed')
})
