import { describe, expect, it } from 'vitest'
import { maeLoss, maeRecipe, maeRecipes, maeReplica, maskedPatchLoss, maskedPatchPrediction } from '../../recipes/mae.js'
import { reference } from '../../src/backends/reference/index.js'
import { openRecording } from '../../src/cli/parts/recording.js'
import { gradient, initialWeights, input, openSession, ops, parametersOf, shapeOf, trace, type AnyModel, type Graph, type Tensor } from '../../src/index.js'
import { random } from '../random.js'
import { problemOf, valueOf } from '../support/either.js'

const tiny = { imageSize: 16, patchSize: 4, dim: 16, depth: 2, numHeads: 2, decoderDim: 12, decoderDepth: 1, decoderNumHeads: 3 } as const
const graphOf = (model: unknown, mode: 'inference' | 'training' = 'inference'): Graph => valueOf(trace(model as AnyModel, { mode }))
const outcome = (model: unknown) => shapeOf(model as never)

describe('how many patches are seen', () => {
  const seen = (imageSize: number, maskRatio: number): unknown => {
    const shape = outcome(maeRecipe({ ...tiny, imageSize, maskRatio }).model)
    return shape._tag === 'Left' ? shape.left.sentence : (shape.right as { readonly latent: readonly number[] }).latent[0]! - 1
  }

  // Python's int(L * (1 - ratio)).
  it.each([[56, 0.75, 49], [16, 0.75, 4], [16, 0.6, 6], [16, 0.3, 11], [16, 0, 16], [20, 0.9, 2], [24, 0.7, 10], [40, 0.55, 44]])('is, of an image of %i with %f masked, as the reference rounds: %i', (imageSize, ratio, expected) => expect(seen(imageSize, ratio)).toBe(expected))

  it('and none is refused', () => expect(seen(16, 0.95)).toBe('maskTokens: masking 0.95 of 16 tokens keeps none'))
})

interface Ran {
  readonly pred: Float32Array
  readonly latent: Float32Array
  readonly mask: Float32Array
  readonly ids_restore: Int32Array
}
const ran = async (x: Float32Array, noise: Float32Array): Promise<Ran> => {
  const { model } = maeRecipe(tiny)
  const { inputs, output } = graphOf(model)
  const session = valueOf(await openSession({ run: { inputs, outputs: output as Readonly<Record<string, Tensor>> } }, { backend: reference, weights: valueOf(initialWeights(model as never, 1)) })())
  const given = valueOf(await session.run('run', { x, noise })())
  session.dispose()
  return given as unknown as Ran
}
const { values } = random(4)
const image = Float32Array.from(values(16 * 16 * 3))
const noise = Float32Array.from({ length: 16 }, (_, i) => ((i * 7) % 16) / 16)

describe('a masked autoencoder', () => {
  it('sees the patches with the least noise, in that order, and says which', async () => {
    const { mask, ids_restore } = await ran(image, noise)
    expect(Array.from(ids_restore)).toEqual(Array.from(noise, value => value * 16))
    expect(Array.from(mask)).toEqual(Array.from(noise, value => (value < 0.25 ? 0 : 1)))
  })

  it('does not see the others: what is in them changes nothing', async () => {
    const before = await ran(image, noise)
    const hidden = Float32Array.from(image, (value, i) => {
      const [row, column] = [Math.floor(i / 48), Math.floor(i / 3) % 16]
      return before.mask[Math.floor(row / 4) * 4 + Math.floor(column / 4)] === 1 ? value + 3 : value
    })
    expect(await ran(hidden, noise)).toEqual(before)
    const seen = Float32Array.from(image)
    seen[0]! += 3
    expect((await ran(seen, noise)).pred).not.toEqual(before.pred)
  })

  it('gives a prediction for every patch, wherever its noise puts it', async () => {
    const [one, other] = [await ran(image, noise), await ran(image, Float32Array.from(noise, value => (value < 0.25 ? value : 1.25 - value)))]
    expect(other.mask).toEqual(one.mask)
    // The seen patches come in the same order, and what is not seen comes in none.
    one.pred.forEach((value, i) => expect(Math.abs(value - other.pred[i]!)).toBeLessThan(1e-6))
  })

  it('learns everything but its fixed positions', () => {
    const graph = graphOf(maeRecipe(tiny).model)
    const trained = parametersOf(graph).filter(p => p.attributes.role === 'trained')
    expect(parametersOf(graph).filter(p => p.attributes.role === 'frozen').map(p => p.attributes.name)).toEqual(['pos_embed', 'decoder_pos_embed'])
    for (const normalisePixels of [false, true]) expect(gradient(maeLoss(graph, { patchSize: 4, normalisePixels }), trained).of.size).toBe(trained.length)
  })

  it('has the fixed positions that the reference makes', async () => {
    const recording = valueOf(await openRecording('test/fixtures/recordings/mae/mae_a.safetensors')())
    const ours = valueOf(initialWeights(recording.replica.model as never, 3))
    for (const name of ['pos_embed', 'decoder_pos_embed']) {
      const theirs = valueOf(await recording.recorded.read(name)()).data
      ours.get(name)!.forEach((value, i) => expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-6))
    }
    await recording.close()
  })

  it('may have patches that are no square grid', () => expect(outcome(maeRecipe({ ...tiny, imageSize: [16, 24] }).model)).toMatchObject({ right: { pred: [24, 48], latent: [7, 16], mask: [24] } }))
})

describe('the form that is fine-tuned', () => {
  it.each([['base_patch16'], ['large_patch16'], ['huge_patch14']] as const)('has the encoder of %s, but for the last norm and a head', size => {
    const named = (model: unknown) => new Map(parametersOf(graphOf(model)).map(p => [p.attributes.name, p.shape.join()]))
    const [whole, tuned] = [named(maeRecipes[`mae_vit_${size}`].model), named(maeRecipes[`mae_ft_vit_${size}`].model)]
    expect([...tuned.keys()].filter(name => whole.get(name) !== tuned.get(name)).sort()).toEqual(['fc_norm.bias', 'fc_norm.weight', 'head.bias', 'head.weight'])
    expect([...whole.keys()].filter(name => !tuned.has(name) && !/^(decoder|mask_token|norm\.)/.test(name))).toEqual([])
  })
})

describe('predicting patches that are hidden', () => {
  const model = maskedPatchPrediction({ patchSize: 2, dim: 8, depth: 1, numHeads: 2, channels: 1 })(input(8, 8, 1)) as unknown as AnyModel

  it('hides half of them in training, by a token that learns, and none later', () => {
    const graph = graphOf(model, 'training')
    const masks = graph.nodes.filter(n => n.op === 'dropMask')
    expect(masks.map(n => [n.shape, (n.attributes as { readonly keep: number }).keep])).toEqual([[[16, 1], 0.5]])
    expect(graphOf(model).nodes.filter(n => n.op === 'dropMask')).toEqual([])
    expect(gradient(maskedPatchLoss(graph, 2), graph.parameters).of.size).toBe(graph.parameters.length)
  })

  it('gets better at it', async () => {
    const graph = graphOf(model, 'training')
    const loss = maskedPatchLoss(graph, 2)
    const updates = [...gradient(loss, graph.parameters).of].map(([parameter, slope]) => ({ parameter: parameter as Tensor<'parameter'>, value: ops.subtract(parameter, ops.multiply(slope, ops.scalar(0.3))) }))
    const session = valueOf(await openSession({ step: { inputs: graph.inputs, outputs: { loss }, updates } }, { backend: reference, weights: valueOf(initialWeights(model as never, 1)) })())
    // Images of one colour each: the patches that are seen say what the others are.
    const images = Float32Array.from({ length: 8 * 64 }, (_, i) => [1, -1, 1, -1, 0.5, -0.5, 0.5, -0.5][Math.floor(i / 64)]!)
    const told: number[] = []
    for (let step = 0; step < 25; step++) told.push((valueOf(await session.run('step', images, { seed: 3, step })())['loss'] as Float32Array)[0]!)
    session.dispose()
    expect(told.at(-1)).toBeLessThan(0.25 * told[0]!)
  })
})

describe("the authors' own configuration", () => {
  const says = (config: Readonly<Record<string, unknown>>): string => {
    const read = maeReplica(config)
    return read._tag === 'Left' ? read.left.sentence : 'read'
  }

  it("is read with the class's defaults: a large encoder, a decoder of 512 channels", () => {
    expect(outcome(valueOf(maeReplica({ depth: 1, decoder_depth: 1 })).model)).toMatchObject({ right: { pred: [196, 768], latent: [50, 1024] } })
  })

  it('is a classifier where it says how it pools', () => {
    const names = (global_pool: boolean) => parametersOf(graphOf(valueOf(maeReplica({ embed_dim: 12, num_heads: 2, depth: 1, num_classes: 3, global_pool })).model)).map(p => p.attributes.name).filter(name => name.endsWith('norm.weight') && !name.startsWith('blocks'))
    expect([names(true), names(false)]).toEqual([['fc_norm.weight'], ['norm.weight']])
  })

  it.each([
    [{ img_size: [16, 24] }, "mae: 'img_size' must be a number, got [16,24]"],
    [{ num_classes: 10 }, "mae: does not know 'num_classes'"],
    [{ norm_pix_loss: 1 }, "mae: 'norm_pix_loss' must be a boolean, got 1"],
    [{ global_pool: true, decoder_depth: 2 }, "mae: does not know 'decoder_depth'"],
  ])('is refused where it asks for something else: %j', (config, sentence) => expect(says(config)).toBe(sentence))
})

it('an image that its patches do not fill is refused in words', () => {
  expect(problemOf(outcome(maeRecipe({ ...tiny, imageSize: 18 }).model))).toMatchObject({ code: 'patchesDoNotFit', path: 'patch_embed.proj › patchEmbed' })
})
