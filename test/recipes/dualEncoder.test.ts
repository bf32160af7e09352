import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { dualEncoder } from '../../recipes/kit/dualEncoder.js'
import { textEncoder } from '../../recipes/kit/textEncoder.js'
import { vit } from '../../recipes/vit.js'
import { reference } from '../../src/backends/reference/index.js'
import { compile, globalPool, gradient, input, inputs, integerInput, linear, losses, named, openSession, openTowers, ops, patchEmbed, serial, trace, type AnyModel, type Tensor, type TwoTowers } from '../../src/index.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

const text = textEncoder({ vocabularySize: 9, dim: 8, depth: 1, numHeads: 2, numClasses: 6 })
const align = pipe(
  inputs({ image: input(8, 8, 3), text: integerInput(4) }),
  dualEncoder({ image: named('image', vit({ patchSize: 4, dim: 8, depth: 1, numHeads: 2, numClasses: 6 })), text: named('text', text) }, { learned: 'temperature', initial: 5 }),
)
const weightsOf = (model: unknown): Map<string, Float32Array> => new Map(valueOf(initialWeights(model as AnyModel, 3)))

/** Far from the start of a training, where all images are alike. */
const spread = (model: unknown): Map<string, Float32Array> => new Map([...weightsOf(model)].map(([name, values]) => [name, name.includes('norm') || name === 'temperature' ? values : values.map(value => 15 * value)]))

describe('a dual encoder', () => {
  it('takes any tower for images and any for text', async () => {
    const other = pipe(inputs({ image: input(8, 8, 1), text: integerInput(4) }), dualEncoder({ image: serial(patchEmbed({ patchSize: 2, dim: 5 }), globalPool(), linear(6)), text }))
    const towers = valueOf(await openTowers(other as unknown as TwoTowers, { backend: reference, weights: weightsOf(other) })())
    const [images, texts] = [valueOf(await towers.images(new Float32Array(64).fill(0.5))()), valueOf(await towers.texts(Int32Array.from([1, 2, 3, 0, 4, 5, 0, 0]))())]
    towers.dispose()
    expect([images.length, texts.length]).toEqual([6, 12])
    expect(Math.hypot(...images)).toBeCloseTo(1, 6)
    expect(towers.similarities(images, texts)[0]!.every(value => Math.abs(value) <= 1 / 0.07)).toBe(true)
  })

  it('refuses towers whose features differ', () => {
    const towers = { image: serial(globalPool(), linear(5)), text } as const
    const wrong = dualEncoder(towers) as unknown as (model: unknown) => AnyModel
    expect(problemOf(trace(wrong(inputs({ image: input(8, 8, 3), text: integerInput(4) }))))).toMatchObject({ code: 'towersDiffer', sentence: 'similarityScale: images have 5 features, but texts have 6' })
  })

  it("learns which text is of which image by ALIGN's loss, its temperature too", async () => {
    const graph = valueOf(trace(align, { mode: 'training' }))
    const { image_features: image, text_features: words, scale } = graph.output as unknown as Readonly<Record<string, Tensor>>
    const loss = losses.contrastive(ops.batchToAxis(image!, 3), ops.batchToAxis(words!, 3), scale!, { smoothing: 0.1, both: 'sum' })
    const { of } = gradient(loss, graph.parameters)
    const given = { image: Float32Array.from({ length: 3 * 192 }, (_, i) => Math.sin(i * (1 + Math.floor(i / 192)))), text: Int32Array.from([1, 2, 3, 0, 4, 5, 0, 0, 6, 7, 8, 1]) }
    const rate = ops.scalar(0.05)
    const updates = graph.parameters.flatMap(p => (of.get(p) === undefined ? [] : [{ parameter: p, value: ops.subtract(p, ops.multiply(rate, of.get(p)!)) }]))
    const session = valueOf(await openSession({ step: { inputs: graph.inputs, outputs: { loss, scale: scale! }, updates } }, { backend: reference, weights: spread(align) })())
    const told: (readonly [number, number])[] = []
    for (let step = 0; step < 25; step++) {
      const ran = valueOf(await session.run('step', given)()) as { readonly loss: Float32Array; readonly scale: Float32Array }
      told.push([ran.loss[0]!, ran.scale[0]!])
    }
    session.dispose()
    expect(told[0]![1]).toBeCloseTo(5, 5)
    expect(told.at(-1)![0]).toBeLessThan(0.7 * told[0]![0])
    expect(told.at(-1)![1]).not.toBeCloseTo(5, 3)
  })
})

describe('a text classifier of the blocks of an image encoder', () => {
  it.each(['token', 'average'] as const)('gives classes of whole texts, pooled by %s', async pool => {
    const model = pipe(integerInput(4), textEncoder({ vocabularySize: 9, dim: 8, depth: 2, numHeads: 2, numClasses: 3, pool }))
    const program = valueOf(await compile(model, { backend: reference, weights: weightsOf(model) })())
    const [one, other] = [valueOf(await program.run(Int32Array.from([1, 2, 3, 4]))()), valueOf(await program.run(Int32Array.from([4, 3, 2, 1]))())]
    program.dispose()
    expect(one.length).toBe(3)
    expect(one).not.toEqual(other)
  })

  it('gives features where it has no head', () => {
    const model = pipe(integerInput(4), textEncoder({ vocabularySize: 9, dim: 8, depth: 2, numHeads: 2, numClasses: 0 }))
    const { output } = valueOf(trace(model))
    expect((output as Tensor).shape).toEqual([8])
  })
})
