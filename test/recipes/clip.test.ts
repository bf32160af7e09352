import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { clipRecipe, clipRecipes, clipReplica, clipText } from '../../recipes/clip.js'
import { vitRecipes } from '../../recipes/vit.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { compile, gradient, integerInput, losses, multiplyAddsByInput, openSession, ops, trace, type AnyModel } from '../../src/index.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { valueOf } from '../support/either.js'

const tiny = { imageSize: 8, patchSize: 4, embedDim: 6, dim: 12, depth: 2, numHeads: 3, textDim: 8, textDepth: 2, textNumHeads: 2, vocabularySize: 11, contextLength: 5 } as const
const weightsOf = (model: unknown): ReadonlyMap<string, Float32Array> => valueOf(initialWeights(model as AnyModel, 7))

describe('the text tower', () => {
  const text = pipe(integerInput(5), clipText(tiny))
  const featuresOf = async (ids: readonly number[]) => {
    const program = valueOf(await compile(text, { backend: cpu, weights: weightsOf(text) })())
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
    const graph = valueOf(trace(model, { mode: 'training' }))
    const { image_features: image, text_features: text, scale } = graph.output as unknown as Readonly<Record<string, Parameters<typeof ops.exp>[0]>>
    const loss = losses.contrastive(ops.batchToAxis(image!, 3), ops.batchToAxis(text!, 3), scale!)
    const { of } = gradient(loss, graph.parameters)
    const session = valueOf(await openSession({ step: { inputs: graph.inputs, outputs: Object.fromEntries([...of].map(([p, g]) => [(p.attributes as { readonly name: string }).name, g])) } }, { backend: cpu, weights: weightsOf(model) })())
    const slopes = valueOf(await session.run('step', { image: Float32Array.from({ length: 3 * 192 }, (_, i) => Math.sin(i)), text: Int32Array.from([1, 2, 10, 0, 0, 3, 4, 5, 10, 0, 6, 10, 0, 0, 0]) })()) as Readonly<Record<string, Float32Array>>
    session.dispose()
    for (const name of ['logit_scale', 'visual.proj', 'visual.conv1.weight', 'text_projection', 'token_embedding.weight']) expect([name, slopes[name]!.some(g => g !== 0), slopes[name]!.every(Number.isFinite)]).toEqual([name, true, true])
  })

  it('holds the scale at 100', async () => {
    const { model } = clipRecipe(tiny)
    const scaleIn = async (mode: 'training' | 'inference') => {
      const graph = valueOf(trace(model, { mode }))
      const session = valueOf(await openSession({ scale: { inputs: graph.inputs, outputs: { scale: (graph.output as unknown as Readonly<Record<string, Parameters<typeof ops.exp>[0]>>)['scale']! } } }, { backend: cpu, weights: new Map([...weightsOf(model), ['logit_scale', Float32Array.of(5)]]) })())
      const { scale } = valueOf(await session.run('scale', { image: new Float32Array(192), text: new Int32Array(5) })())
      session.dispose()
      return (scale as Float32Array)[0]!
    }
    expect(await scaleIn('training')).toBe(100)
    expect(await scaleIn('inference')).toBeCloseTo(Math.exp(5), 3)
  })
})

describe('the cost', () => {
  it('is told for each tower', () => {
    expect(multiplyAddsByInput(valueOf(trace(clipRecipes.clip_vit_b32.model)))).toEqual({
      image: { linear: 4247126016, conv: 115605504, matmul: 46080000, total: 4408811520 },
      text: { linear: 2906914816, conv: 0, matmul: 72855552, total: 2979770368 },
    })
    expect(multiplyAddsByInput(valueOf(trace(vitRecipes.vit_tiny_patch16_224.model)))).toBeUndefined()
  })
})

describe("the reference's own configuration", () => {
  const own = { embed_dim: 24, image_resolution: 32, vision_layers: 1, vision_width: 64, vision_patch_size: 8, context_length: 16, vocab_size: 64, transformer_width: 28, transformer_heads: 2, transformer_layers: 1 }
  const says = (changes: Readonly<Record<string, unknown>>): string => {
    const read = clipReplica({ ...own, ...changes })
    return read._tag === 'Left' ? read.left.sentence : valueOf(trace(read.right.model)).parameters.length.toString()
  }

  it.each([
    [{}, '38'],
    [{ vision_heads: 4, transformer_layers: 2 }, '50'],
    [{ vision_layers: [3, 4, 6, 3] }, "clip: 'vision_layers' lists the stages of a ResNet, and image towers are ViTs here"],
    [{ vision: 7 }, "clip: 'vision' must be the image tower's keywords, got 7"],
    [{ vision: { stride: 4 } }, "clip: does not know 'vision.stride'"],
    [{ act: 'gelu' }, "clip: 'act' must be one of 'quick_gelu', 'quick_gelu x*sigmoid(1.702x)', got \"gelu\""],
    [{ embed_dim: null }, "clip: needs 'embed_dim'"],
  ])('is read, or refused: %j', (changes, answer) => expect(says(changes)).toBe(answer))
})
