import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { clipRecipe, clipReplica, clipText } from '../../recipes/clip.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { compile, cost, gradient, integerInput, losses, multiplyAddsByInput, openSession, ops, trace, type AnyModel } from '../../src/index.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

const tiny = { imageSize: 8, patchSize: 4, embedDim: 6, dim: 12, depth: 2, numHeads: 3, textDim: 8, textDepth: 2, textNumHeads: 2, vocabularySize: 11, contextLength: 5 } as const
const weightsOf = (model: AnyModel) => {
  const values = valueOf(initialWeights(model, 7))
  return (name: string) => async () => ({ _tag: 'Right' as const, right: values.get(name)! })
}

describe('the text tower', () => {
  const text = pipe(integerInput(5), clipText(tiny))
  const featuresOf = async (ids: readonly number[]) => {
    const program = valueOf(await compile(text, { backend: cpu, weights: weightsOf(text as unknown as AnyModel) })())
    const features = valueOf(await program.run(Int32Array.from(ids))())
    program.dispose()
    return features
  }

  it('sees nothing after the token that ends the text', async () => {
    expect(await featuresOf([1, 2, 10, 0, 0])).toEqual(await featuresOf([1, 2, 10, 7, 3]))
  })

  it('sees what comes before it', async () => {
    expect(await featuresOf([1, 2, 10, 0, 0])).not.toEqual(await featuresOf([2, 2, 10, 0, 0]))
    expect(await featuresOf([1, 2, 10, 0, 0])).not.toEqual(await featuresOf([2, 1, 10, 0, 0]))
  })

  it('takes the first of several ends', async () => {
    expect(await featuresOf([1, 10, 3, 10, 0])).toEqual(await featuresOf([1, 10, 4, 10, 5]))
  })
})

describe('training', () => {
  it('moves both towers and the scale, by the loss on pairs of one batch', async () => {
    const { model } = clipRecipe(tiny)
    const graph = valueOf(trace(model as unknown as AnyModel, { mode: 'training' }))
    const { image_features: image, text_features: text, scale } = graph.output as unknown as Readonly<Record<string, Parameters<typeof ops.exp>[0]>>
    const loss = losses.contrastive(ops.batchToAxis(image!, 3), ops.batchToAxis(text!, 3), scale!)
    const { of } = gradient(loss, graph.parameters)
    const session = valueOf(await openSession({ step: { inputs: graph.inputs, outputs: Object.fromEntries([...of].map(([p, g]) => [(p.attributes as { readonly name: string }).name, g])) } }, { backend: cpu, weights: weightsOf(model as unknown as AnyModel) })())
    const slopes = valueOf(await session.run('step', { image: Float32Array.from({ length: 3 * 192 }, (_, i) => Math.sin(i)), text: Int32Array.from([1, 2, 10, 0, 0, 3, 4, 5, 10, 0, 6, 10, 0, 0, 0]) })()) as Readonly<Record<string, Float32Array>>
    session.dispose()
    for (const name of ['logit_scale', 'visual.proj', 'visual.conv1.weight', 'text_projection', 'token_embedding.weight']) expect([name, slopes[name]!.some(g => g !== 0), slopes[name]!.every(Number.isFinite)]).toEqual([name, true, true])
  })

  it('holds the scale at 100', async () => {
    const { model } = clipRecipe(tiny)
    const scaleIn = async (mode: 'training' | 'inference') => {
      const graph = valueOf(trace(model as unknown as AnyModel, { mode }))
      const weights = weightsOf(model as unknown as AnyModel)
      const session = valueOf(await openSession({ scale: { inputs: graph.inputs, outputs: { scale: (graph.output as unknown as Readonly<Record<string, Parameters<typeof ops.exp>[0]>>)['scale']! } } }, { backend: cpu, weights: (name, shape) => (name === 'logit_scale' ? async () => ({ _tag: 'Right' as const, right: Float32Array.of(5) }) : weights(name)) })())
      const { scale } = valueOf(await session.run('scale', { image: new Float32Array(192), text: new Int32Array(5) })())
      session.dispose()
      return (scale as Float32Array)[0]!
    }
    expect(await scaleIn('training')).toBe(100)
    expect(await scaleIn('inference')).toBeCloseTo(Math.exp(5), 3)
  })
})
