import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { openSession } from '../../src/backends/openSession.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { add, batchMean, input, parameter, reshape, scalar } from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { accumulate, adam, adamw, clipByGlobalNorm, clipByValue, movingAverage, optimiserOf, sgd, type Optimiser } from '../../src/training/optimisers.js'
import { problemOf, valueOf } from '../support/either.js'
import { computed } from './computed.js'
import { distance, recorded } from './recorded.js'

const held = (name: string, shape: readonly number[] = []): Tensor<'parameter'> => parameter(name, shape, { kind: 'zeros' })

/** The parameter after each step of the recorded gradients and rates. */
const steps = async (backend: typeof cpu, optimiser: Optimiser, count: number, at: { readonly decay?: boolean; readonly scale?: number } = {}): Promise<readonly Float32Array[]> => {
  const [p, step] = [held('p', [4]), held('step')]
  // One sample each of gradient and rate is fed: their means are what an optimiser gets, without a batch.
  const [gradient, rate] = [input('gradient', [4]), input('rate', [])]
  const state = Object.fromEntries(optimiser.state.map(name => [name, held(`p.${name}`, [4])]))
  const next = optimiser.update({ parameter: p, gradient: batchMean(gradient), state, rate: batchMean(rate), step, decay: at.decay ?? true, scale: at.scale ?? 1 })
  const updates = [{ parameter: p, value: next.parameter }, ...Object.entries(state).map(([name, parameter]) => ({ parameter, value: next.state[name]! })), { parameter: step, value: add(step, scalar(1)) }]
  const weights = new Map([['p', Float32Array.from(recorded.start)], ['step', Float32Array.of(1)], ...optimiser.state.map(name => [`p.${name}`, new Float32Array(4)] as const)])
  const session = valueOf(await openSession({ step: { inputs: { gradient, rate }, outputs: {}, updates } }, { backend, weights })())
  const after: Float32Array[] = []
  for (let i = 0; i < count; i++) {
    valueOf(await session.run('step', { gradient: Float32Array.from(recorded.gradients[i]!), rate: Float32Array.of(recorded.rates[i]!) })())
    after.push(valueOf(await session.read(['p'])()).get('p')!)
  }
  session.dispose()
  return after
}

describe.each([reference, cpu, wasm])('optimisers on $name', backend => {
  it.each(recorded.optimisers.map(o => [`${o.name} ${JSON.stringify(o.config)}`, o] as const))('%s moves as in PyTorch for 200 steps', async (_, { watched, ...named }) => {
    const after = await steps(backend, valueOf(optimiserOf(named)), 200)
    expect(Object.keys(watched)).toHaveLength(6)
    for (const [step, expected] of Object.entries(watched)) expect([step, distance(after[Number(step) - 1]!, expected) < 3e-6]).toEqual([step, true])
  })

  it('the norm of all gradients is clipped as in PyTorch, and left where it is short enough', async () => {
    for (const { shapes, before, limit, norm, after } of recorded.clippedByNorm) {
      const gradients = shapes.map((shape, i) => held(`g${i}`, shape))
      const clipped = clipByGlobalNorm(gradients, limit)
      const [length, ...ours] = await computed(backend, [clipped.norm, ...clipped.gradients], gradients.map((g, i) => [g, before[i]!]))
      expect(distance(length!, [norm])).toBeLessThan(1e-6)
      after.forEach((expected, i) => expect(distance(ours[i]!, expected)).toBeLessThan(1e-6))
    }
  })

  it('values are clipped as in PyTorch', async () => {
    const { shapes, before, limit, after } = recorded.clippedByValue
    const gradients = shapes.map((shape, i) => held(`g${i}`, shape))
    const ours = await computed(backend, clipByValue(gradients, limit), gradients.map((g, i) => [g, before[i]!]))
    after.forEach((expected, i) => expect(distance(ours[i]!, expected)).toBeLessThan(1e-7))
  })

  it('gradients of parts add up to their mean, and an average moves by its decay', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map(name => held(name, [2])) as [Tensor, Tensor, Tensor]
    const mean = [a, b, c].reduce((total, g) => accumulate(total, g, 3), reshape(scalar(0), [1]))
    const ours = await computed(backend, [mean, movingAverage(a, b, 0.9)], [[a, [1, 2]], [b, [4, -5]], [c, [4, 9]]])
    expect(distance(ours[0]!, [3, 2])).toBeLessThan(1e-6)
    expect(distance(ours[1]!, [1.3, 1.3])).toBeLessThan(1e-6)
  })
})

describe('one parameter of many', () => {
  it.each([sgd({ weightDecay: 0.5 }), adam({ weightDecay: 0.5 }), adamw({ weightDecay: 0.5 })])('$name leaves out weight decay where it does not apply', async optimiser => {
    const bare = valueOf(optimiserOf({ name: optimiser.name, config: { ...optimiser.config, weightDecay: 0 } }))
    const [ours, expected] = [await steps(reference, optimiser, 5, { decay: false }), await steps(reference, bare, 5)]
    expect(ours).toEqual(expected)
    expect(await steps(reference, optimiser, 5)).not.toEqual(expected)
  })

  it.each([sgd({ momentum: 0.9 }), adamw()])('$name moves it by a share of the rate', async optimiser => {
    // Without decay the step from the start is proportional to the rate.
    const [whole, half] = [await steps(reference, optimiser, 1, { decay: false }), await steps(reference, optimiser, 1, { decay: false, scale: 0.5 })]
    recorded.start.forEach((p, i) => expect(2 * (half[0]![i]! - p)).toBeCloseTo(whole[0]![i]! - p, 6))
  })
})

describe('an optimiser by name', () => {
  it('comes back from JSON as it was', () => {
    for (const optimiser of [sgd({ momentum: 0.9, nesterov: true }), adam({ amsgrad: true }), adamw({ betas: [0.8, 0.99] })]) {
      const back = valueOf(optimiserOf(JSON.parse(JSON.stringify({ name: optimiser.name, config: optimiser.config }))))
      expect([back.name, back.config, back.state]).toEqual([optimiser.name, optimiser.config, optimiser.state])
    }
  })

  it.each([
    [{ name: 'lion' }, 'unknownName'],
    ['adamw', 'notNamed'],
    [{ name: 'adamw', config: { weightdecay: 1 } }, 'unknownOption'],
    [{ name: 'sgd', momentum: 0.9 }, 'notNamed'],
    [{ name: 'adamw', config: { betas: [0.9, 1] } }, 'badOption'],
    [{ name: 'adamw', config: { weightDecay: -1 } }, 'badOption'],
    [{ name: 'adam', config: { epsilon: Number.NaN } }, 'badOption'],
    [{ name: 'sgd', config: { nesterov: true } }, 'badOption'],
    [{ name: 'sgd', config: { nesterov: true, momentum: 0.9, dampening: 0.1 } }, 'badOption'],
  ])('%j is refused: %s', (given, code) => {
    expect(problemOf(optimiserOf(given)).code).toBe(code)
  })
})
