import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { dynamicVitTraining } from '../../recipes/dynamicvit.js'
import { lvvitTraining } from '../../recipes/lvvit.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { dropMaskValues } from '../../src/backends/dropMaskValues.js'
import { openSession } from '../../src/backends/openSession.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import type { Graph } from '../../src/graph/graph.js'
import { input, inputs, ops, trace, type AnyModel, type Mode, type Tensor } from '../../src/index.js'
import { keepDecision, logisticNoise } from '../../src/layers/core/keepDecision.js'
import { batchMean, batchReverse, mean, slice, subtract } from '../../src/ops/ops.js'
import { crossEntropy, keptShares, oneHot, pruned, tokenLabelling } from '../../src/training/losses.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { valueOf } from '../support/either.js'

const backends = [reference, cpu, wasm]
const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
/** The largest difference as a share of the largest number. */
const distance = (ours: ArrayLike<number>, theirs: ArrayLike<number>): number => largest(Array.from(theirs, (x, i) => x - ours[i]!)) / Math.max(largest(theirs), 1e-6)

/** What PyTorch computed: see test/fixtures/pruning/make.py. */
const recorded = async (name: string) => {
  const file = valueOf(await openSafetensors(`test/fixtures/pruning/${name}.safetensors`)())
  const tensors = new Map<string, Float32Array>()
  for (const key of file.tensors.keys()) tensors.set(key, Float32Array.from(valueOf(await file.read(key)()).data))
  await file.close()
  return (key: string): Float32Array => tensors.get(key)!
}
const graphOf = (model: unknown, mode: Mode = 'training'): Graph => valueOf(trace(model as AnyModel, { mode }))
const outputsOf = (graph: Graph): Readonly<Record<string, Tensor>> => graph.output as Readonly<Record<string, Tensor>>
/** Images of `[samples, channels, height, width]` as ours. */
const channelsLast = (values: Float32Array, size: number): Float32Array => Float32Array.from(values, (_, i) => values[(Math.floor(i / (3 * size * size)) * 3 + (i % 3)) * size * size + (Math.floor(i / 3) % (size * size))]!)

/** Outputs and gradients of a loss on a backend, beside those of PyTorch. */
const compared = async (graph: Graph, loss: Tensor, given: Readonly<Record<string, readonly [Tensor, Float32Array | Int32Array]>>, theirs: (key: string) => Float32Array, outputs: Readonly<Record<string, Tensor>>, backend: (typeof backends)[number]) => {
  const gradients = gradient(loss, graph.parameters).of
  const asked = { loss, ...outputs, ...Object.fromEntries(graph.parameters.map(p => [`grad ${p.attributes.name}`, gradients.get(p)!])) }
  expect(graph.parameters.filter(p => !gradients.has(p))).toEqual([])
  const weights = new Map(graph.parameters.map(({ attributes: { name } }) => [name, theirs(name)]))
  const routine = { inputs: Object.fromEntries(Object.entries(given).map(([name, [node]]) => [name, node])), outputs: asked }
  const session = valueOf(await openSession({ routine }, { backend, weights })())
  const ran = valueOf(await session.run('routine', Object.fromEntries(Object.entries(given).map(([name, [, values]]) => [name, values])), { seed: 0, step: 0 })()) as Readonly<Record<string, Float32Array>>
  session.dispose()
  return Object.entries(ran).map(([key, values]) => ({ key, far: distance(values, theirs(key.startsWith('grad ') ? `@grad/${key.slice(5)}` : `@out/${key}`)) }))
}

describe.each(backends.map(backend => [backend.name, backend] as const))('on %s, in training', (_, backend) => {
  it('an LV-ViT with MixToken gives what PyTorch gives: both outputs, the loss and every gradient', async () => {
    const theirs = await recorded('lvvit')
    const model = pipe(inputs({ x: input(12, 12, 3), inside: input(3, 3) }), lvvitTraining({ patchSize: 4, dim: 8, depth: 3, numHeads: 2, mlpRatio: 2, numClasses: 5, stemDim: 0, branchDivisor: 2 }))
    const graph = graphOf(model)
    const { head, aux_head: aux, inside } = outputsOf(graph) as Readonly<Record<'head' | 'aux_head' | 'inside', Tensor>>
    const [targets, tokens] = [ops.input('targets', [5]), ops.input('tokens', [9, 5])]
    const lambda = subtract(ops.scalar(1), batchMean(mean(inside, [0, 1])))
    const loss = tokenLabelling(head, aux, { image: targets }, { tokens, mixed: { labels: { image: batchReverse(targets) }, lambda }, tokenWeight: 0.5 })
    const [x, box] = ['x', 'inside'].map(name => (graph.inputs as Readonly<Record<string, Tensor>>)[name]!) as [Tensor, Tensor]
    // One box for all samples.
    const boxes = Float32Array.from({ length: 4 * 9 }, (__, i) => theirs('@in/inside')[i % 9]!)
    const found = await compared(graph, loss, { x: [x, channelsLast(theirs('@in/x'), 12)], inside: [box, boxes], targets: [targets, theirs('@in/targets')], tokens: [tokens, theirs('@in/tokens')] }, theirs, { head, aux_head: aux }, backend)
    expect(found.length).toBeGreaterThan(40)
    expect(found.filter(({ far }) => !(far < 2e-5))).toEqual([])
  })

  it.each([['dynamicDeit', 'meanSquared'], ['dynamicLvvit', 'divergence']] as const)('a %s gives what PyTorch gives: every decision, the loss and every gradient', async (name, compare) => {
    const theirs = await recorded(name)
    const shared = { patchSize: 4, dim: 8, depth: 3, numHeads: 2, mlpRatio: 2, numClasses: 5, pruneAt: [1, 2], keep: [6, 4] } as const
    const graph = graphOf(name === 'dynamicDeit' ? pipe(input(12, 12, 3), dynamicVitTraining(shared)) : pipe(input(12, 12, 3), dynamicVitTraining({ ...shared, backbone: 'lvvit', stemDim: 0, branchDivisor: 2 })))
    const { head, keep_0: first, keep_1: second, tokens: features, aux_head: logits } = outputsOf(graph) as Readonly<Record<string, Tensor>>
    const tokens = (features ?? logits)!
    const [labels, teacherHead, teacherTokens] = [ops.input('labels', [], 'int32'), ops.input('teacherHead', [5]), ops.input('teacherTokens', tokens.shape)]
    const loss = pruned(crossEntropy(head!, oneHot(labels, 5)), { logits: head!, tokens, decisions: [first!, second!] }, { logits: teacherHead, tokens: teacherTokens }, { shares: [0.7, 0.49], compare })
    const given = { x: [graph.inputs as Tensor, channelsLast(theirs('@in/x'), 12)], labels: [labels, Int32Array.from(theirs('@in/labels'))], teacherHead: [teacherHead, theirs('@in/head')], teacherTokens: [teacherTokens, theirs('@in/tokens')] } as const
    const found = await compared(graph, loss, given, theirs, { head: head!, tokens, keep_0: first!, keep_1: second! }, backend)
    expect(found.length).toBeGreaterThan(60)
    expect(found.filter(({ far }) => !(far < 5e-5))).toEqual([])
  })
})

describe('decisions', () => {
  it('drop some tokens and not others in the recordings, so that these can fail', async () => {
    for (const name of ['dynamicDeit', 'dynamicLvvit']) {
      const theirs = await recorded(name)
      for (const stage of ['@out/keep_0', '@out/keep_1']) expect(new Set(theirs(stage))).toEqual(new Set([0, 1]))
      // What was dropped stays so.
      theirs('@out/keep_1').forEach((kept, i) => expect(kept).toBeLessThanOrEqual(theirs('@out/keep_0')[i]!))
    }
  })

  const leaves = (seed: number, given: Readonly<Record<string, readonly number[]>> = {}) => (node: Tensor<'input' | 'parameter' | 'dropMask'>, count: number): ArrayLike<number> =>
    'stream' in node.attributes ? dropMaskValues(node.attributes.stream, seed, 0, node.attributes.keep, count) : given[node.attributes.name]!

  it('have the noise of two Gumbel numbers: mean 0, variance π²/3, quartiles ±ln 3', () => {
    const { data } = evaluateGraph([logisticNoise('noise', 200)], 100, leaves(5))[0]!
    const sorted = Array.from(data).sort((a, b) => a - b)
    expect(sorted.reduce((a, b) => a + b, 0) / 20000).toBeCloseTo(0, 1)
    expect(sorted.reduce((a, b) => a + b * b, 0) / 20000 / (Math.PI ** 2 / 3)).toBeCloseTo(1, 1)
    for (const [share, quantile] of [[0.25, -Math.log(3)], [0.5, 0], [0.75, Math.log(3)]] as const) expect(Math.abs(sorted[20000 * share]! - quantile)).toBeLessThan(0.05)
    expect(sorted.every(Number.isFinite)).toBe(true)
  })

  it('are made with the probability of keeping, and are 0 or 1 exactly', () => {
    const advantage = ops.input('advantage', [500, 1])
    const decide = keepDecision(advantage, logisticNoise('noise', 500), 1)
    for (const odds of [-2, 0, 1.5]) {
      const { data } = evaluateGraph([decide], 40, leaves(3, { advantage: Array<number>(20000).fill(odds) }))[0]!
      expect(new Set(Array.from(data))).toEqual(new Set([0, 1]))
      expect(Math.abs(Array.from(data).reduce((a, b) => a + b, 0) / 20000 - 1 / (1 + Math.exp(-odds)))).toBeLessThan(0.015)
    }
  })

  it('have the slope of their probability, at the temperature', () => {
    const advantage = ops.parameter('advantage', [3, 1], { kind: 'zeros' })
    const values = [-1, 0.2, 3]
    for (const temperature of [1, 0.5]) {
      const total = ops.reshape(ops.sum(keepDecision(advantage, undefined, temperature), [0]), [])
      const slope = gradient(total, [advantage]).of.get(advantage)!
      const { data } = evaluateGraph([slope], 1, leaves(0, { advantage: values }))[0]!
      values.forEach((value, i) => {
        const share = 1 / (1 + Math.exp(-value / temperature))
        expect(data[i]).toBeCloseTo((share * (1 - share)) / temperature, 12)
      })
    }
  })

  it('are the better score where there is no noise, and change nothing that does not count', () => {
    const graph = graphOf(pipe(input(12, 12, 3), dynamicVitTraining({ patchSize: 4, dim: 8, depth: 2, numHeads: 2, numClasses: 3, pruneAt: [1], keep: [4] })), 'inference')
    expect(graph.nodes.filter(n => n.op === 'dropMask')).toEqual([])
    expect(Object.keys(outputsOf(graph))).toEqual(['head', 'tokens', 'keep_0'])
  })

  it('draw from a stream each', () => {
    const graph = graphOf(pipe(input(12, 12, 3), dynamicVitTraining({ patchSize: 4, dim: 8, depth: 3, numHeads: 2, pruneAt: [1, 2], keep: [6, 4] })))
    expect(graph.nodes.flatMap(n => (n.op === 'dropMask' ? [(n.attributes as { readonly stream: string }).stream] : []))).toEqual(['keep_0', 'keep_1'])
  })
})

describe('the shares that are kept', () => {
  it('cost the squares of what they miss, over stages and samples', () => {
    const decisions = [ops.input('a', [4]), ops.input('b', [4])]
    const { data } = evaluateGraph([keptShares(decisions, [0.5, 0.25])], 2, node => ({ a: [1, 1, 0, 0, 1, 1, 1, 1], b: [0, 0, 0, 0, 0, 1, 0, 0] })[(node.attributes as { readonly name: string }).name]!)[0]!
    expect(data[0]).toBeCloseTo(((0 + 0.25) / 2 + (0.0625 + 0) / 2) / 2, 14)
  })

  it('are refused where there is not one for each stage', () => {
    expect(() => keptShares([ops.input('a', [4])], [0.5, 0.25])).toThrow('keptShares: there are 1 stages of decisions, but 2 shares')
    expect(() => keptShares([], [])).toThrow('keptShares: there are 0 stages')
  })

  it('of a loss where no token is left leave it finite', () => {
    const [logits, tokens, none] = [ops.input('logits', [2]), ops.input('tokens', [3, 4]), ops.input('none', [3])]
    const loss = pruned(ops.scalar(1), { logits, tokens, decisions: [none] }, { logits, tokens: slice(tokens, [0, 0], [3, 4]) }, { shares: [0] })
    const { data } = evaluateGraph([loss], 2, (_, count) => new Float64Array(count))[0]!
    expect(data[0]).toBe(1)
  })
})
