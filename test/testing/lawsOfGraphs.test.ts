import { pipe } from 'fp-ts/lib/function.js'
import { expect, it, vi } from 'vitest'
import type { Gradients } from '../../src/graph/gradient/gradient.js'
import { encoderBlock, input, layerNorm, linear, softmax } from '../../src/index.js'
import * as ops from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { rewriting } from '../../src/passes/pass.js'
import { laws } from '../../src/testing/laws/laws.js'
import { valueOf } from '../support/either.js'

/** What passes and gradients do in this file. */
const faults = vi.hoisted(() => ({ pass: (node: unknown): unknown => node, gradient: 1, heads: true }))

vi.mock('../../src/passes/pipeline.js', async original => {
  const { pipeline } = await original<typeof import('../../src/passes/pipeline.js')>()
  return { pipeline: [...pipeline, ['faulty', (roots: never) => rewriting(node => faults.pass(node) as Tensor)(roots)]], optimise: (roots: never) => roots }
})
vi.mock('../../src/graph/gradient/gradient.js', async original => {
  const { gradient } = await original<typeof import('../../src/graph/gradient/gradient.js')>()
  return {
    gradient: (loss: Tensor, of: readonly Tensor[]): Gradients => {
      const { of: found, origin } = gradient(loss, of)
      return { origin, of: new Map([...found].map(([x, g]) => [x, faults.gradient === 1 ? g : ops.multiply(g, ops.scalar(faults.gradient))])) }
    },
  }
})

vi.mock('../../src/layers/selfAttention.js', async original => {
  const module = await original<typeof import('../../src/layers/selfAttention.js')>()
  return { ...module, hasHeads: (...args: Parameters<typeof module.hasHeads>) => (faults.heads ? module.hasHeads(...args) : undefined) }
})

const model = pipe(input(5, 4), linear(3), layerNorm(), softmax())
const verdict = async (name: 'passesKeepValues' | 'passesKeepGradients' | 'gradientsExact'): Promise<string> => {
  const found = valueOf(await laws[name].check(model)())
  return found.is === 'broken' ? found.evidence : found.is
}

it('passes that change nothing keep values and gradients', async () => {
  expect([await verdict('passesKeepValues'), await verdict('passesKeepGradients'), await verdict('gradientsExact')]).toEqual(['kept', 'kept', 'kept'])
})

it('a pass that forgets a softmax breaks the law of values, and is named', async () => {
  faults.pass = node => ((node as Tensor).op === 'softmax' ? (node as Tensor).inputs[0] : node)
  expect(await verdict('passesKeepValues')).toMatch(/after faulty, in inference, the output/)
  faults.pass = node => node
})

it('a pass that is right going forward and wrong going back breaks the law of gradients', async () => {
  faults.pass = node => ((node as Tensor).op === 'batchSum' ? ops.multiply(node as Tensor, ops.scalar(2)) : node)
  expect(await verdict('passesKeepValues')).toBe('kept')
  expect(await verdict('passesKeepGradients')).toMatch(/after faulty, a gradient is another one/)
  faults.pass = node => node
})

it('a gradient that is not the derivative breaks the law of gradients', async () => {
  faults.gradient = 1.01
  expect(await verdict('gradientsExact')).toMatch(/the loss changes by .* but the gradient says/)
  faults.gradient = 1
})

it('a check that lets every number of heads pass breaks the law of misfits', async () => {
  const block = pipe(input(5, 8), encoderBlock({ numHeads: 2 }))
  const told = async (): Promise<unknown> => valueOf(await laws.misfitsAreRefused.check(block, { runs: 5 })())
  expect(await told()).toMatchObject({ is: 'kept' })
  faults.heads = false
  expect(await told()).toMatchObject({ is: 'broken', evidence: expect.stringMatching(/headsThatDoNotDivide: should be headsDoNotSplit at attention/) })
  faults.heads = true
})
