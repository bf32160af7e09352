import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { encoderBlock, input, trace } from '../../src/index.js'
import * as ops from '../../src/ops/ops.js'
import { listing } from '../../src/passes/listing.js'
import { pipeline } from '../../src/passes/pipeline.js'
import { valueOf } from '../support/either.js'

describe('what is known of a graph', () => {
  const x = ops.input('x', [2, 3])
  const weight = ops.parameter('w', [3, 3], { kind: 'zeros' })
  const scale = ops.exp(ops.parameter('s', [3], { kind: 'zeros' }))
  const scaled = ops.multiply(ops.tanh(ops.linear(x, weight)), scale)
  const roots = [ops.add(scaled, scaled), scaled]

  it('is how often each node is used, by others and as a result', () => {
    expect([x, weight, scaled.inputs[1], scaled, roots[0]].map(t => listing(roots).uses.get(t!))).toEqual([1, 1, 1, 3, 1])
  })

  it('is what depends on weights alone', () => {
    expect([...listing(roots).settled].map(({ op }) => op)).toEqual(['parameter', 'parameter', 'exp', 'reshape'])
  })

  it.each(pipeline)('is found once for all passes that change nothing: %s gives back the very roots', (_, pass) => {
    const alone = [ops.softmax(ops.linear(x, weight))]
    expect(pass(alone)).toBe(alone)
    expect(listing(pass(alone))).toBe(listing(alone))
  })
})

describe('a feature that nobody has asked for yet', () => {
  it('has a name, and is made once', () => {
    const { features } = valueOf(trace(pipe(input(5, 6), encoderBlock({ numHeads: 2 }))))
    const name = [...features.keys()].find(path => path.endsWith('attn.weights'))!
    expect(features.get(name)).toBe(features.get(name))
    expect(features.get(name)).toMatchObject({ op: 'softmax', shape: [2, 5, 5] })
    expect([...features.entries()].map(([path]) => path)).toEqual([...features.keys()])
  })
})
