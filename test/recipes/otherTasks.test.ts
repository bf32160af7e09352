import { readFileSync } from 'node:fs'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { detector } from '../../recipes/kit/detector.js'
import { linearDecoder, pyramidDecoder, segmenter, upsamplingDecoder } from '../../recipes/kit/segmenter.js'
import { swinFeatures } from '../../recipes/swin.js'
import { vitTokens } from '../../recipes/vit.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { compile, crossAttention, expose, fanOut, flattenTokens, gradient, identity, input, linear, losses, named, openSession, ops, patchEmbed, selfAttention, serial, shapeOf, stages, tokensToMap, trace, type AnyModel, type Tensor } from '../../src/index.js'
import { matchQueries } from '../../src/training/detection/matchQueries.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../support/either.js'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}
interface Recording {
  readonly x: Numbers
  readonly weights: Readonly<Record<string, Numbers>>
  readonly outputs: Readonly<Record<string, Numbers>>
}

/** What PyTorch gives, recorded by test/fixtures/tasks/make.py. */
const recorded = (JSON.parse(readFileSync('test/fixtures/tasks/tasks.json', 'utf8')) as { readonly models: Readonly<Record<string, Recording>> }).models

const patches = patchEmbed({ patchSize: 4, dim: 6 })
const sizes = { dim: 8, depth: 2, numHeads: 2, numClasses: 4, hiddenDim: 12 } as const
const tokens = serial(named('patch_embed', patches), flattenTokens())

/** The recorded models in our words. */
const models = {
  detr: pipe(input(8, 12, 3), detector(tokens, { ...sizes, numQueries: 3, queries: 'positions', normPlacement: 'post', activation: 'relu', epsilon: 1e-5 })),
  queries: pipe(input(8, 12, 3), detector(tokens, { ...sizes, numQueries: 4 })),
  linear: pipe(input(8, 12, 3), segmenter(named('patch_embed', patches), linearDecoder({ numClasses: 5, factor: 4 }))),
  upsampling: pipe(input(8, 12, 3), segmenter(named('patch_embed', patches), upsamplingDecoder({ numClasses: 5, factor: 4, dim: 4 }))),
  selfWeights: pipe(input(4, 8), expose(selfAttention({ numHeads: 2, naming: 'torch' }), { seen: 'attn.weights' })),
  crossWeights: pipe(input(4, 8), fanOut({ x: identity(), memory: linear(8, { bias: false }) }), expose(crossAttention({ numHeads: 2 }), { seen: 'attn.weights' })),
  pyramid: pipe(input(16, 24, 3), segmenter(expose(stages(patches, patchEmbed({ patchSize: 2, dim: 10 })), { a: 'stages.0', b: 'stages.1' }), pyramidDecoder({ numClasses: 5, factor: 4, dim: 4 }))),
}

describe.each(Object.entries(models))('a model of another task: %s', (name, model) => {
  const { x, weights, outputs } = recorded[name]!

  it.each([reference, cpu, wasm])('gives what PyTorch gives, on $name', async backend => {
    const program = valueOf(await compile(model as AnyModel as never, { backend, weights: new Map(Object.entries(weights).map(([key, { data }]) => [key, Float32Array.from(data)])) })())
    const ran = valueOf(await program.run(Float32Array.from(x.data) as never)()) as unknown as Float32Array | Readonly<Record<string, Float32Array>>
    program.dispose()
    for (const [key, { data }] of Object.entries(outputs)) {
      const ours = ran instanceof Float32Array ? ran : ran[key]!
      const scale = Math.max(1, ...data.map(Math.abs))
      expect(ours.length).toBe(data.length)
      data.forEach((value, i) => expect(Math.abs(ours[i]! - value), `${key} ${i}`).toBeLessThan((backend === reference ? 1e-6 : 2e-5) * scale))
    }
  })

  it('has exactly the parameters of its PyTorch twin', () => {
    const own = valueOf(trace(model as AnyModel)).parameters.map(p => [p.attributes.name, p.shape.join()])
    expect(own.sort()).toEqual(Object.entries(weights).map(([key, { shape }]) => [key, shape.join()]).sort())
  })
})

describe('any backbone', () => {
  it('of tokens or of levels gives classes of pixels', () => {
    const vit = serial(vitTokens({ patchSize: 14, dim: 16, depth: 1, numHeads: 2, registers: 4 }), tokensToMap({ prefixTokens: 5 }))
    expect(valueOf(shapeOf(pipe(input(56, 56, 3), segmenter(vit, linearDecoder({ numClasses: 3, factor: 14 })))))).toEqual([56, 56, 3])
    expect(valueOf(shapeOf(pipe(input(56, 56, 3), segmenter(vit, upsamplingDecoder({ numClasses: 3, factor: 14, dim: 8 })))))).toEqual([56, 56, 3])
    const swin = expose(swinFeatures({ patchSize: 4, dim: 8, depths: [1, 1, 2], numHeads: [1, 2, 4], windowSize: 4 }), { p2: 'layers.0', p3: 'layers.1', p4: 'layers.2' })
    expect(valueOf(shapeOf(pipe(input(64, 128, 3), segmenter(swin, pyramidDecoder({ numClasses: 3, factor: 4, dim: 8 })))))).toEqual([64, 128, 3])
  })

  it('keeps its parameter names, so that its checkpoints load', () => {
    const backbone = vitTokens({ patchSize: 4, dim: 8, depth: 1, numHeads: 2 })
    const namesOf = (m: unknown): readonly string[] => valueOf(trace(m as AnyModel)).parameters.map(p => p.attributes.name)
    const whole = namesOf(pipe(input(8, 8, 3), segmenter(serial(backbone, tokensToMap({ prefixTokens: 1 })), linearDecoder({ numClasses: 2, factor: 4 }))))
    const own = namesOf(pipe(input(8, 8, 3), backbone))
    expect(whole.slice(0, own.length)).toEqual(own)
    expect(whole.slice(own.length)).toEqual(['decoder.head.weight', 'decoder.head.bias'])
  })
})

describe('a detector', () => {
  it('of no classes is refused', () => {
    expect(problemOf(shapeOf(pipe(input(8, 12, 3), detector(tokens, { ...sizes, numClasses: 0, numQueries: 3 })) as AnyModel))).toMatchObject({ code: 'notASize', path: 'class_embed › linear' })
  })

  it('learns where the bright square is: the set loss falls, and its best query finds it', async () => {
    const model = pipe(input(12, 12, 1), detector(serial(vitTokens({ patchSize: 4, dim: 12, depth: 1, numHeads: 2, classToken: false })), { dim: 12, numQueries: 2, depth: 1, numHeads: 2, numClasses: 1 }))
    const graph = valueOf(trace(model as AnyModel))
    const output = graph.output as Readonly<Record<'logits' | 'boxes', Tensor>>
    const [classes, boxes] = [ops.input('classes', [2], 'int32'), ops.input('targets', [2, 4])]
    const loss = losses.setLoss(output, { classes, boxes })
    const { of } = gradient(loss, graph.parameters)
    // Far from the start of a training, where all queries are alike.
    const weights = new Map([...valueOf(initialWeights(model as AnyModel, 1))].map(([name, values]) => [name, name.includes('norm') ? values : values.map(value => 12 * value)]))
    const updates = graph.parameters.flatMap(p => (of.get(p) === undefined ? [] : [{ parameter: p, value: ops.subtract(p, ops.multiply(ops.scalar(0.05), of.get(p)!)) }]))
    const session = valueOf(await openSession({ look: { inputs: graph.inputs, outputs: output }, step: { inputs: { image: graph.inputs, classes, boxes }, outputs: { loss }, updates } }, { backend: reference, weights })())
    // A bright square in the upper left of one image, and in the lower right of another.
    const image = Float32Array.from({ length: 288 }, (_, i) => ((i < 144) === (Math.floor((i % 144) / 12) < 6) && (i < 144) === (i % 12 < 6) ? 1 : -1))
    const objects = [{ classes: [0], boxes: [0.25, 0.25, 0.5, 0.5] }, { classes: [0], boxes: [0.75, 0.75, 0.5, 0.5] }]
    const told: number[] = []
    let last: Readonly<Record<'logits' | 'boxes', Float32Array>> | undefined
    for (let i = 0; i < 80; i++) {
      last = valueOf(await session.run('look', image)()) as typeof last
      const targets = valueOf(matchQueries(last!, objects))
      const ran = valueOf(await session.run('step', { image, ...targets })()) as { readonly loss: Float32Array }
      told.push(ran.loss[0]!)
    }
    session.dispose()
    expect(told.at(-1)!).toBeLessThan(0.5 * told[0]!)
    const { classes: found } = valueOf(matchQueries(last!, objects))
    objects.forEach((object, i) => {
      const query = [0, 1].find(q => found[2 * i + q] === 0)!
      object.boxes.forEach((value, k) => expect(Math.abs(last!.boxes[(2 * i + query) * 4 + k]! - value)).toBeLessThan(0.2))
    })
  })
})
