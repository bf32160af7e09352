import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { vitRecipe } from '../../../recipes/index.js'
import { reference } from '../../../src/backends/reference/index.js'
import { openSession } from '../../../src/backends/openSession.js'
import { collectNodes } from '../../../src/graph/graph.js'
import { batchNorm, conv2d, freeze, globalPool, input, linear, linearProbe, losses, named, optimisers, relu, unfreeze, type AnyModel, type Model } from '../../../src/index.js'
import { rateName, stepName, trainingRoutines } from '../../../src/training/routines/trainingRoutines.js'
import { problemOf, valueOf } from '../../support/either.js'
import { differenceOf, recordedBelow, recordings } from './recordings.js'

const model = pipe(input(4, 4, 3), named('conv', conv2d({ dim: 4, kernelSize: 3, padding: 1 })), named('bn', batchNorm()), relu(), globalPool(), named('head', linear(3)))
const parts = { loss: losses.crossEntropy, optimiser: optimisers.sgd() }
const routinesOf = (m: unknown) => valueOf(trainingRoutines(m as AnyModel, parts))

/** The parameters after two steps of SGD at a rate of 0.1. */
const trained = async (m: unknown): Promise<ReadonlyMap<string, Float32Array>> => {
  const { routines, state, changed, variables } = routinesOf(m)
  expect(state).toEqual([])
  const before = await recordedBelow('frozen/before')
  using session = valueOf(await openSession({ train: routines.train! }, { backend: reference, weights: new Map([...before, [rateName, Float32Array.of(0.1)], [stepName, Float32Array.of(1)]]), variables: [...variables] })())
  const [x, y] = await Promise.all(['frozen/x', 'frozen/y'].map(async name => valueOf(await recordings.read(name)()).data))
  for (let step = 0; step < 2; step++) valueOf(await session.run('train', { x: x as Float32Array, y: y as Int32Array })())
  return new Map([...before, ...valueOf(await session.read([...changed])())])
}

describe('training a model of which a part is frozen', () => {
  it.each(['update', 'keep'] as const)('leaves what PyTorch leaves and trains the rest: statistics %s', async statistics => {
    const [found, before, after] = [await trained(valueOf(freeze(model, ['conv', 'bn'], { statistics }))), await recordedBelow('frozen/before'), await recordedBelow(`frozen/${statistics}`)]
    expect([...found.keys()].sort()).toEqual([...after.keys()].sort())
    for (const [name, values] of after) {
      expect([name, differenceOf(found.get(name)!, values) < 1e-6]).toEqual([name, true])
      const isChanged = name.startsWith('head.') || (name.startsWith('bn.running') && statistics === 'update')
      expect([name, differenceOf(found.get(name)!, before.get(name)!) > 1e-4]).toEqual([name, isChanged])
    }
  })

  it('trains again what is taken back', async () => {
    const [whole, again] = [await trained(model), await trained(valueOf(unfreeze(valueOf(freeze(model, '**', { statistics: 'keep' })), '**')))]
    expect(again).toEqual(whole)
  })

  it('costs nothing for what is frozen', () => {
    const vit = vitRecipe({ imageSize: 16, patchSize: 8, dim: 8, depth: 3, numHeads: 2, numClasses: 5 }).model
    const work = (m: Model<readonly [16, 16, 3], readonly [5]>): number => {
      const { outputs, updates = [] } = routinesOf(m).routines.train!
      return collectNodes([...Object.values(outputs) as never[], ...updates.map(({ value }) => value)]).filter(n => n.op !== 'parameter' && n.op !== 'constant').length
    }
    const [all, last, head] = [vit, valueOf(freeze(vit, ['patch_embed', 'cls_token', 'pos_embed', 'blocks.{0,1}'])), valueOf(linearProbe(vit))].map(m => ({ work: work(m), changed: routinesOf(m).changed }))
    expect([...head!.changed].sort()).toEqual(['head.bias', 'head.weight'])
    expect([...last!.changed].filter(name => /^blocks\.[01]|patch|cls|pos/.test(name))).toEqual([])
    // Two of three blocks need no gradients, or none of them does.
    expect(last!.work).toBeLessThan(0.6 * all!.work)
    expect(head!.work).toBeLessThan(0.35 * all!.work)
  })

  it('is refused where everything is frozen', () => {
    expect(problemOf(trainingRoutines(valueOf(freeze(model, '**')) as unknown as AnyModel, parts)).code).toBe('nothingToTrain')
  })
})
