import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { definitions } from '../../src/ops/definition/define.js'
// @ts-expect-error a plain script, without declarations
import { bundledGradients } from '../conformance/gradients.mjs'
import { devices, surveyOp } from '../conformance/lowerings.js'
import { forward, gradient } from '../conformance/measure.js'
import { opSubjects } from '../conformance/ops.js'
import { subject, type Subject } from '../conformance/subject.js'
import { subjects } from '../conformance/subjects.js'
import { survey } from '../conformance/survey.js'
import { each, type Numbers } from '../../src/testing/oracles/numbers.js'

const page = readFileSync(new URL('../../docs/tfjs-conformance.md', import.meta.url), 'utf8')

beforeAll(async () => {
  await import(/* @vite-ignore */ await (bundledGradients as () => Promise<string>)())
})

describe('the page is what `npm run conformance` writes', () => {
  const [, tfjs, ours] = /## Operations of tfjs\n\n([\s\S]*?)\n\n## The ops of this library\n[\s\S]*?\n\n(\| op[\s\S]*?)\n\n/.exec(page)!
  const names = (table: string): readonly string[] => table.split('\n').slice(2).map(row => row.split('|')[1]!.trim())
  const columns = (table: string): readonly string[] => table.split('\n')[0]!.split('|').slice(2, -1).map(column => column.trim())

  it('with a row for each operation of tfjs, and for each op of ours', () => {
    expect(names(tfjs!)).toEqual(subjects.map(({ name }) => name))
    expect(names(ours!), 'npm run conformance -- ours').toEqual(opSubjects.map(({ op }) => op))
  })

  it('on the backends that are always there, at least', () => {
    expect(columns(tfjs!)).toEqual(expect.arrayContaining(['cpu', 'cpu, gradient', 'wasm', 'wasm, gradient']))
    expect(columns(ours!)).toEqual(expect.arrayContaining(['reference', 'cpu', 'wasm', 'wasm, gradient']))
  })

  it('with a case for everything in it that is not right', () => {
    const failing = tfjs!.split('\n').slice(2).filter(row => /\*\*|throws|no kernel|no gradient/.test(row)).map(row => row.split('|')[1]!.trim())
    expect([...page.matchAll(/^### (.*)$/gm)].map(match => match[1])).toEqual(failing)
  })
})

it('every op of the closed set is measured', () => {
  expect(Object.keys(definitions).filter(op => !opSubjects.some(s => s.op === op))).toEqual([])
})

interface Told {
  readonly backend: 'cpu' | 'wasm'
  readonly title: string
  readonly code: string
  readonly says: string
}

/** The smallest cases of the page, but for those that damage memory. */
const told: readonly Told[] = page.split(/^### /m).slice(1).flatMap(section => {
  const title = section.split('\n')[0]!
  return [...section.matchAll(/On (.*):\n\n```js\n([\s\S]*?)```/g)].flatMap(([, where, block]) => {
    const lines = block!.trimEnd().split('\n')
    const says = lines.filter(line => line.startsWith('//')).join('\n')
    if (says.includes('damages memory')) return []
    return (['cpu', 'wasm'] as const).filter(backend => new RegExp(`\\b${backend},`).test(where!)).map(backend => ({ backend, title, code: lines.filter(line => !line.startsWith('//')).join('\n'), says }))
  })
})

describe.each(['cpu', 'wasm'] as const)('the smallest cases on %s still are as told', backend => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true)
  })

  const run = async (code: string): Promise<{ readonly values: readonly number[]; readonly shape: readonly number[] } | string> => {
    tf.engine().startScope()
    try {
      const result = new Function('tf', `${code}\nreturn result`)(tf) as tf.Tensor
      return { values: Array.from(await result.data()), shape: result.shape }
    } catch (fault) {
      return (fault as Error).message
    } finally {
      tf.engine().endScope()
    }
  }
  const listed = (says: string, word: string): readonly number[] => JSON.parse((new RegExp(`${word} (\\[.*?\\])`).exec(says)?.[1] ?? '[]').replace(/NaN|-?Infinity/g, 'null')) as readonly number[]

  it.each(told.filter(t => t.backend === backend).map(t => [t.title, t] as const))('%s', async (_, { code, says }) => {
    const got = await run(code)
    if (!says.includes('// gives')) return expect(typeof got, says).toBe('string')
    // What reads outside of its memory may also throw.
    if (typeof got === 'string') return
    const should = listed(says, 'should be')
    // What it should be is told to five digits.
    const shape = listed(says, 'should be .* of shape')
    const differs = (says.includes('of shape') && got.shape.join() !== shape.join()) || got.values.length !== should.length || should.some((v, i) => v !== null && !(Math.abs(v - got.values[i]!) <= 1.5e-5 * Math.max(1, Math.abs(v))))
    expect(differs, `tfjs now gives what it should: ${says}`).toBe(true)
  })
})

describe('what is measured is what happens', () => {
  const doubling = (code: string, factor: number): Subject => subject('doubling', fc.integer({ min: 1, max: 9 }).map(n => ({ shapes: [[n]], code, define: (a: Numbers) => each(a, x => factor * x) })))
  beforeAll(async () => void (await tf.setBackend('cpu')))

  it('a right operation is right, and its gradient', async () => {
    const surveyed = await survey(tf, doubling('tf.mul(a, 2)', 2), 20)
    expect(surveyed.forward.findings).toEqual([])
    expect(surveyed.gradient?.findings).toEqual([])
  })

  it('a wrong one is found, shrunk to one element, and told as code that runs', async () => {
    const { forward: side, gradient: slope } = await survey(tf, doubling('tf.mul(a, a)', 2), 20)
    expect(side.findings.map(f => [f.kind, f.code.split('\n').at(-1)])).toEqual([['wrong', 'const result = tf.mul(a, a)']])
    expect(side.findings[0]!.code).toMatch(/^const a = tf\.tensor\(\[[^,\]]*(, [^,\]]*)?\], \[[12]\]\)/)
    expect(slope?.findings[0]?.kind).toBe('wrong')
  })

  it('what throws, lacks a gradient or a kernel is told apart', async () => {
    const [one] = fc.sample(doubling("tf.einsum('i->i', a)", 1).cases, { seed: 1, numRuns: 1 })
    expect(await forward(tf, { ...one!, code: 'tf.reshape(a, [1000])' })).toMatchObject({ kind: 'throws' })
    expect(await gradient(tf, { ...one!, code: 'tf.cumprod(a)', kind: 'ordinary' })).toMatchObject({ kind: 'no gradient' })
  })
})

/** What passes make only for a device that has it. */
const fused = ['fusedLinear', 'packedAttention', 'packedAttentionGradient', 'groupNorm', 'groupNormGradient', 'squareSum', 'elementwise']

describe('our ops are right on every backend', async () => {
  const all = (await devices()).filter(([name]) => name === 'cpu' || name === 'wasm')
  it.each(opSubjects.map(s => [s.op, s] as const))('%s', async (_, one) => {
    const surveyed = await Promise.all(all.map(([name, device]) => surveyOp(device, name, one, 6)))
    expect(surveyed.flatMap(({ device, forward: values, gradient: slopes }) => [values.failure, slopes?.failure].filter(failure => failure !== undefined && !(fused.includes(one.op) && failure.includes('no kernel'))).map(failure => `${device}: ${failure}`))).toEqual([])
  })
})
