import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { openSession } from '../../src/backends/openSession.js'
import { wasm } from '../../src/backends/wasm/index.js'
import * as ops from '../../src/ops/ops.js'
import { problemOf, valueOf } from '../support/either.js'

const x = ops.input('x', [2])
const compared = ops.batchToAxis(x, 3)
const scores = ops.matmul(compared, compared, { transposeB: true })
const given = ops.axisToBatch(ops.constant(Float32Array.of(1, 2, 3), [3]))

describe.each([reference, cpu, wasm])('samples as an axis, on $name', backend => {
  it('are compared with each other', async () => {
    const session = valueOf(await openSession({ compare: { inputs: x, outputs: { scores, given } } }, { backend, weights: new Map() })())
    const out = valueOf(await session.run('compare', Float32Array.of(1, 0, 0, 2, 1, 1))())
    expect(Array.from(out['scores'] as Float32Array)).toEqual([1, 0, 1, 0, 4, 2, 1, 2, 2])
    expect(Array.from(out['given'] as Float32Array)).toEqual([1, 2, 3])
    session.dispose()
  })

  it('are refused where there are more or fewer', async () => {
    const session = valueOf(await openSession({ compare: { inputs: x, outputs: { scores } } }, { backend, weights: new Map() })())
    const refused = problemOf(await session.run('compare', Float32Array.of(1, 0, 0, 2))())
    expect(refused).toMatchObject({ code: 'inputMisfit', sentence: 'run: got a batch of 2, but this graph compares 3 samples with each other', remedy: 'give batches of 3, or build it for 2 samples' })
    session.dispose()
  })
})
