import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as v from '../../src/index.js'
import { trace, type AnyLayer, type AnyModel } from '../../src/index.js'
import { defineLayer, type Context } from '../../src/layers/core/layer.js'
import { model } from '../../src/layers/core/model.js'
import { add, batchMean, multiply, scalar, softmax as softmaxOp, sqrt, transpose } from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { architectures } from '../../src/testing/arbitraries/architectures.js'
import { choicesOf } from '../../src/testing/arbitraries/choices.js'
import { grow } from '../../src/testing/arbitraries/grow.js'
import { countLayers } from '../../src/testing/shrink/countLayers.js'
import { mapNumbers, numbersOf } from '../../src/testing/shrink/mapNumbers.js'
import { scaledDown } from '../../src/testing/shrink/scaledDown.js'
import { shrinkModel } from '../../src/testing/shrink/shrinkModel.js'
import { smallerModels, traces } from '../../src/testing/shrink/smallerModels.js'
import { toSource } from '../../src/testing/source/toSource.js'
import { published } from './published.js'
import { differs, faulty, forward, refusedAs, reversed } from './shrinkFaults.js'

const of = (input: readonly number[], ...layers: readonly AnyLayer[]): AnyModel => model({ shape: input, dtype: 'float32' }, layers)

/** ViT-Tiny with one thing put somewhere else. */
const vit = (parts: { readonly embed?: AnyLayer; readonly token?: AnyLayer; readonly positions?: AnyLayer; readonly block?: AnyLayer; readonly norm?: AnyLayer; readonly pool?: AnyLayer; readonly head?: AnyLayer }): AnyModel =>
  of(
    [224, 224, 3], parts.embed ?? v.patchEmbed({ patchSize: 16, dim: 192 }), v.flattenTokens(), parts.token ?? v.classToken(), parts.positions ?? v.positionEmbed(),
    v.repeat(12, index => (index === 7 && parts.block !== undefined ? parts.block : v.encoderBlock({ numHeads: 3 }))), parts.norm ?? v.layerNorm(), parts.pool ?? v.takeToken(0), parts.head ?? v.linear(1000),
  )

/** A small hierarchical model. */
const swin = (parts: { readonly merging?: AnyLayer; readonly block?: AnyLayer; readonly shifted?: AnyLayer }): AnyModel => {
  const block = (shift: number): AnyLayer => v.residual(v.serial(v.layerNorm(), (shift > 0 ? parts.shifted : undefined) ?? v.windows({ windowSize: 7, shift }, v.windowAttention({ numHeads: 3 }))))
  return of([56, 56, 96], v.stages(v.serial(block(0), parts.block ?? block(3)), v.serial(parts.merging ?? v.patchMerging(), v.repeat(2, v.residual(v.mlp())))), v.globalPool(), v.linear(1000))
}

/** A convolutional model with branches. */
const net = (parts: { readonly conv?: AnyLayer; readonly norm?: AnyLayer; readonly join?: AnyLayer; readonly branch?: AnyLayer; readonly excite?: AnyLayer }): AnyModel =>
  of(
    [32, 24, 3], parts.conv ?? v.conv2d({ dim: 24, kernelSize: 3, stride: 2, padding: 1 }), parts.norm ?? v.groupNorm({ numGroups: 4 }), v.relu(),
    v.fanOut({ a: v.depthwiseConv2d({ kernelSize: 3, padding: 1 }), b: parts.branch ?? v.identity(), c: v.conv2d({ dim: 24, kernelSize: 1 }) }), parts.join ?? v.merge('average'),
    parts.excite ?? v.squeezeExcite({ ratio: 0.25 }), v.globalPool(), v.linear(10),
  )

const id = (): AnyLayer => v.identity()
/** The same layer but that its second branch, its mask or whatever `change` says is not there. */
const instead = (name: string, right: (...args: never[]) => AnyLayer, change: (layer: AnyLayer) => AnyLayer) => faulty(name, right, (x, context, layer) => context.apply(change(layer), x))

const softmaxRows = faulty('softmaxRows', v.softmax, x => transpose(softmaxOp(transpose(x, [1, 0])), [1, 0]))
const residualLess = faulty('residualLess', v.residual as never, (x, context, layer) => context.apply(layer.definition.args[0] as AnyLayer, x)) as (branch: AnyLayer) => AnyLayer
const mixing = faulty('mixing', id, x => add(x, batchMean(x)))
const rooted = faulty('rooted', id, x => sqrt(x))
const turned = faulty('turned', v.conv2d as never, (x, context, layer) => forward(layer, reversed(x, 0), context)) as typeof v.conv2d
const lateToken = faulty('lateToken', v.classToken, (x, context, layer) => reversed(forward(layer, x, context), 0))
const blindPositions = faulty('blindPositions', v.positionEmbed as never, x => x) as typeof v.positionEmbed
const lastToken = faulty('lastToken', v.takeToken as never, (x, context, layer) => forward(layer, reversed(x, 0), context)) as typeof v.takeToken
const unshifted = instead('unshifted', v.windows as never, layer => v.windows({ ...(layer.definition.args[0] as { windowSize: number }), shift: 0 }, layer.definition.args[1] as AnyLayer)) as typeof v.windows
const oneGroup = instead('oneGroup', v.groupNorm as never, () => v.groupNorm({ numGroups: 1 })) as typeof v.groupNorm
const summing = instead('summing', v.merge as never, () => v.merge('add')) as typeof v.merge
const halfBlock = instead('halfBlock', v.encoderBlock as never, layer => v.encoderBlock({ ...(layer.definition.args[0] as { numHeads: number }), mlpRatio: 0.5, activation: 'relu' })) as typeof v.encoderBlock
const oneHead = instead('oneHead', v.selfAttention as never, () => v.selfAttention({ numHeads: 1 })) as typeof v.selfAttention
const swappedMerging = faulty('swappedMerging', v.patchMerging as never, (x, context, layer) => forward(layer, reversed(x, 1), context)) as typeof v.patchMerging
const unscaled = faulty('unscaled', v.squeezeExcite as never, (x, context, layer) => multiply(forward(layer, x, context), scalar(2))) as typeof v.squeezeExcite
const flatPatches = faulty('flatPatches', v.patchEmbed as never, (x, context, layer) => reversed(forward(layer, x, context), 1)) as typeof v.patchEmbed
/** Blocks that all have the first one's weights. */
const sharing = faulty('sharing', v.repeat as never, (x, { apply }, layer) => {
  const [times, block] = layer.definition.args as [number, AnyLayer]
  const first: Record<string, Tensor> = {}
  const shared = (l: AnyLayer, at: number): AnyLayer => {
    const { kind, make, args, ...parts } = l.definition
    return defineLayer(kind, make, args, { ...(parts as object), forward: (y: Tensor, context: Context) => forward(l, y, { ...context, parameters: at === 0 ? Object.assign(first, context.parameters) : first }) } as never)
  }
  return Array.from({ length: times }).reduce<Tensor>((y, _, i) => apply(shared(block, i), y, String(i)) as Tensor, x)
}) as unknown as (times: number, block: AnyLayer) => AnyLayer
/** A layer that refuses what it should take. */
const fussy = (): AnyLayer => defineLayer('fussy', fussy, [], { check: (shape: readonly number[]) => (shape.length === 2 && shape[0]! % 2 === 1 ? { code: 'fussy', sentence: 'fussy: no odd tokens', path: '' } : undefined), forward: x => x })

const faults: readonly (readonly [name: string, model: AnyModel, fails: (m: AnyModel) => boolean, holds: string])[] = [
  ['a softmax over the wrong axis', vit({ block: v.serial(v.layerNorm(), v.residual(softmaxRows())) }), differs, 'softmaxRows'],
  ['a shortcut that is dropped', vit({ block: v.serial(residualLess(v.mlp()), v.residual(v.mlp())) }), differs, 'residualLess'],
  ['samples that mix', vit({ head: v.serial(v.linear(100), mixing(), v.linear(10)) }), differs, 'mixing'],
  ['what is no number', swin({ block: v.serial(v.layerNorm(), rooted(), v.linear(96)) }), differs, 'rooted'],
  ['a convolution of the image upside down', net({ conv: turned({ dim: 24, kernelSize: 3, stride: 2, padding: 1 }) }), differs, 'turned'],
  ['a class token at the end', vit({ token: lateToken() }), differs, 'lateToken'],
  ['positions that are not added', vit({ positions: blindPositions({ kind: 'learned2d' }) }), differs, 'blindPositions'],
  ['the wrong token taken', vit({ pool: lastToken(0) }), differs, 'lastToken'],
  ['windows that do not shift', swin({ shifted: unshifted({ windowSize: 7, shift: 3 }, v.windowAttention({ numHeads: 3 })) }), differs, 'unshifted'],
  ['groups that are one', net({ norm: oneGroup({ numGroups: 4 }) }), differs, 'oneGroup'],
  ['a mean that is a sum', net({ join: summing('average') }), differs, 'summing'],
  ['options that a block does not heed', vit({ block: halfBlock({ numHeads: 3, mlpRatio: 4 }) }), m => refusedAs('')(m) || differs(m), 'halfBlock'],
  ['heads that are one', vit({ block: v.residual(v.serial(v.layerNorm(), oneHead({ numHeads: 3 }))) }), differs, 'oneHead'],
  ['neighbours in the wrong order', swin({ merging: swappedMerging() }), differs, 'swappedMerging'],
  ['a gate that is doubled', net({ excite: v.residual(unscaled({ ratio: 0.25 })) }), differs, 'unscaled'],
  ['patches from right to left', vit({ embed: flatPatches({ patchSize: 16, dim: 192 }) }), differs, 'flatPatches'],
  ['blocks that share weights', vit({ block: sharing(3, v.linear(192)) }), differs, 'sharing'],
  ['a layer that refuses what it should take', vit({ norm: v.serial(v.layerNorm(), fussy()) }), refusedAs('fussy'), 'fussy'],
  ['two tokens of one name', vit({ positions: v.serial(v.positionEmbed(), v.residual(v.mlp()), v.classToken()) }), refusedAs('duplicateParameter'), 'classToken'],
  ['a tap of one name in every block', swin({ block: v.repeat(2, v.tap('seen', v.residual(v.mlp()))) }), refusedAs('duplicateFeature'), 'tap'],
]

describe('a fault deep in a model', () => {
  it.each(faults)('%s: comes down to at most four layers', async (_, m, fails, holds) => {
    const found = await shrinkModel(m, fails, { seconds: 1000 })
    expect(fails(found.model)).toBe(true)
    expect(found.layers).toBeLessThanOrEqual(4)
    expect(found.source).toContain(`${holds}(`)
    expect(found.trials).toBeLessThan(400)
    expect(Math.max(...numbersOf(found.model))).toBeLessThanOrEqual(16)
  })
})

describe('what is smaller', () => {
  it('is told apart from what it came from, and comes to an end', async () => {
    const found = await shrinkModel(net({}), () => true)
    expect(found.layers).toBeLessThanOrEqual(1)
    expect(Math.max(...numbersOf(found.model))).toBe(1)
  })

  it('traces, where the model did', async () => {
    const seen: AnyModel[] = []
    await shrinkModel(vit({}), m => (seen.push(m), countLayers(m) > 2))
    expect(seen.length).toBeGreaterThan(10)
    expect(seen.filter(m => trace(m)._tag === 'Left').map(m => toSource(m))).toEqual([])
  })

  it('is found inside blocks too, where a fault needs two layers', async () => {
    const comesFrom = (n: Tensor, op: string): boolean => n.op === op || n.inputs.some(x => comesFrom(x, op))
    // A mean over tokens that an attention of several heads gave.
    const fails = (m: AnyModel): boolean => {
      const graph = trace(m)
      return graph._tag === 'Right' && graph.right.nodes.some(n => n.op === 'mean' && comesFrom(n, 'attention')) && graph.right.nodes.some(n => n.op === 'attention' && (n.attributes as { numHeads: number }).numHeads > 1)
    }
    const found = await shrinkModel(vit({ pool: v.globalPool({ prefixTokens: 1 }) }), fails)
    expect(found.source).toContain('input(1, 2),\n  selfAttention({ numHeads: 2 }),\n  globalPool(),\n)')
  })

  it('asks no more often than it may', async () => {
    let asked = 0
    const found = await shrinkModel(vit({}), () => (asked++, false), { trials: 7 })
    expect([asked, found.trials, toSource(found.model)]).toEqual([7, 7, toSource(vit({}))])
  })

  it('takes a judge that throws for one that says no', async () => {
    const found = await shrinkModel(vit({}), () => { throw new Error('another fault') }, { trials: 20 })
    expect(toSource(found.model)).toBe(toSource(vit({})))
  })
})

/** All of them take half a minute. */
const looked = published.filter((_, i) => process.env['VITRAIL_DEEP'] === '1' || i % 9 === 0)

describe('a published recipe', () => {
  it.each(looked)('%s scales down to a model that traces, with small sizes, and is of the same layers', (_, m) => {
    const small = scaledDown(m)
    expect(traces(small)).toBe(true)
    expect(small.layers.map(l => l.definition.kind)).toEqual(m.layers.map(l => l.definition.kind))
    // Inputs that speak of each other (an image, and noise for each of its patches) cannot change one at a time; nor can a part and its whole.
    if ('shape' in m.input && !m.layers.some(l => l.definition.kind === 'subnetwork')) expect(Math.max(...numbersOf(small))).toBeLessThanOrEqual(128)
  })
})

describe('numbers of a model', () => {
  it('are found and replaced in inputs, arguments, options, and blocks given by a function', () => {
    const m = of([4, 6], v.repeat(2, index => v.linear(6, { bias: index === 0 })), v.selfAttention({ numHeads: 3 }))
    expect(numbersOf(m)).toEqual([4, 6, 2, 6, 3])
    expect(toSource(mapNumbers(m, n => 2 * n), { imports: false })).toBe('export const model = pipe(\n  input(8, 12),\n  repeat(4, index => linear(12, { bias: ([true, false, false, false] as const)[index]! })),\n  selfAttention({ numHeads: 6 }),\n)\n')
  })
})

describe('fast-check', () => {
  it('shrinks a failing architecture to the layer that fails', () => {
    const run = fc.check(fc.property(architectures({ depth: 8 }), m => !toSource(m).includes('layerNorm(')), { seed: 4, numRuns: 200 })
    expect(run.failed).toBe(true)
    expect(run.counterexample![0].layers.map(l => l.definition.kind)).toEqual(['layerNorm'])
    expect(new Set(numbersOf(run.counterexample![0]))).toEqual(new Set([1]))
  })

  it('offers only architectures that trace, none of them the one it began with', () => {
    const start = grow(choicesOf(3), { inputs: ['image'], layers: ['conv2d', 'layerNorm', 'residual', 'windows', 'windowAttention', 'serial'], favourite: 'windows' })
    const offered = [...architectures().shrink(start, undefined)].map(value => value.value)
    expect(offered.length).toBeGreaterThan(3)
    expect(offered.every(m => traces(m) && toSource(m) !== toSource(start))).toBe(true)
    expect([...smallerModels(start)].length).toBeGreaterThanOrEqual(offered.length)
  })
})
