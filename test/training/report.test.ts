import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { reference } from '../../src/backends/reference/index.js'
import { compile } from '../../src/backends/compile.js'
import { trace } from '../../src/graph/trace.js'
import { attentionRollout } from '../../src/training/evaluate/attentionRollout.js'
import { evaluate } from '../../src/training/evaluate/evaluate.js'
import { Tally } from '../../src/training/evaluate/tally.js'
import { wilson } from '../../src/training/evaluate/wilson.js'
import type { Metric } from '../../src/training/metrics/metric.js'
import { classRows, confusionTable } from '../../src/training/report/confusionTable.js'
import { png } from '../../src/training/report/png.js'
import { report } from '../../src/training/report/report.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { recipes } from '../../recipes/index.js'
import { valueOf } from '../support/either.js'
import { classes, side, smallVit, stripes } from './stripes.js'

const model = smallVit()
const weights = valueOf(initialWeights(model as never, 3))
const samples = stripes(22, 5)

describe('an evaluation', () => {
  it('counts what the model itself gives', async () => {
    const evaluated = valueOf(await evaluate(model as never, { samples, mean: [0.5], std: [0.3], workers: 0 }, { backend: reference, weights, batchSize: 5, examples: 3 })())
    const program = valueOf(await compile(model as never, { backend: reference, weights })())
    const confusion = new Int32Array(16)
    let loss = 0
    for (let i = 0; i < samples.size; i++) {
      const item = valueOf(await samples.item(i)())
      const pixels = (item.image as { readonly pixels: Uint8Array }).pixels
      const logits = [...valueOf((await program.run(Float32Array.from(pixels, byte => (byte / 255 - 0.5) / 0.3) as never)()) as never) as Float32Array]
      confusion[item.label * 4 + logits.indexOf(Math.max(...logits))]!++
      loss += Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) - logits[item.label]!
    }
    program.dispose()
    expect(evaluated.confusion).toEqual(confusion)
    expect(evaluated.loss).toBeCloseTo(loss / samples.size, 5)
    expect(evaluated.accuracy).toBeCloseTo([0, 5, 10, 15].reduce((sum, at) => sum + confusion[at]!, 0) / samples.size, 12)
    expect(evaluated.top5).toBe(1)
    expect(evaluated.examples.length).toBe(6)
    for (const { probabilities, attention } of evaluated.examples) {
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6)
      expect([attention!.rows, attention!.columns, attention!.weights.length]).toEqual([3, 3, 9])
    }
  })

  it('has intervals of shares as statistics books have them', () => {
    // Newcombe, 1998, table I, score method: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const known = [[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]] as const
    for (const [hits, count, low, high] of known) expect(wilson(hits, count).map(x => x.toFixed(4))).toEqual([low, high].map(x => x.toFixed(4)))
  })

  it('tells the first five of more classes, equals in their order', () => {
    const tally = new Tally(7)
    tally.add(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0), Int32Array.of(2, 5), 1)
    expect(tally.result()).toMatchObject({ samples: 2, top5: 0.5, accuracy: 0 })
  })
})

describe('an attention rollout', () => {
  it('is the product of the layers, half themselves, as by hand', async () => {
    const graph = valueOf(trace(smallVit({ depth: 1, dim: 4 })))
    const map = attentionRollout(graph)!
    expect([map.rows, map.columns, map.weights.shape]).toEqual([3, 3, [9]])
    // With queries of 0 a layer looks everywhere alike: ½ · 1/10 for every patch seen from the class token, in each layer.
    const even = new Map([...valueOf(initialWeights(smallVit() as never, 1))].map(([name, values]) => [name, /qkv/.test(name) ? new Float32Array(values.length) : values]))
    const evaluated = valueOf(await evaluate(smallVit() as never, { samples, workers: 0 }, { backend: reference, weights: even, batchSize: 4, examples: 1 })())
    // Two layers: ½·(½·1/10·1 + …): row 0 of (½(A+I))² with A = 1/10 everywhere is ¼·(1/10 + 2/10) off the diagonal.
    for (const weight of evaluated.examples[0]!.attention!.weights) expect(weight).toBeCloseTo(0.25 * 0.3, 6)
  })

  it('is none for models that look in windows, or have no attention', () => {
    expect(attentionRollout(valueOf(trace(recipes.swin_tiny_patch4_window7_224.model as never)))).toBeUndefined()
    expect(attentionRollout(valueOf(trace(recipes.deit_tiny_distilled_patch16_224.model as never)))).toMatchObject({ rows: 14, columns: 14 })
  })
})

describe('a PNG', () => {
  it.each([1, 3, 4] as const)('of %i channels has the pixels it was made of, and the check sums of the format', channels => {
    const pixels = Uint8Array.from({ length: 3 * 2 * channels }, (_, i) => (i * 37) % 256)
    const bytes = Buffer.from(png({ height: 2, width: 3, channels, pixels }, deflateSync))
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]]).toEqual([3, 2, 8, { 1: 0, 3: 2, 4: 6 }[channels]])
    const length = bytes.readUInt32BE(33)
    const rows = inflateSync(bytes.subarray(41, 41 + length))
    expect([...rows].filter((_, i) => i % (3 * channels + 1) !== 0)).toEqual([...pixels])
    // IEND is empty, and its check sum known.
    expect(bytes.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082')
  })

  it('is read by sharp', async () => {
    const { default: sharp } = await import('sharp')
    const { data, info } = await sharp(png({ height: 2, width: 2, channels: 3, pixels: Uint8Array.from({ length: 12 }, (_, i) => i * 20) }, deflateSync)).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, [...data]]).toEqual([2, 2, Array.from({ length: 12 }, (_, i) => i * 20)])
  })
})

const metrics: readonly Metric[] = [
  { kind: 'step', step: 1, epoch: 1, loss: 2, accuracy: 0.1, rate: 0.001, norm: 3 },
  { kind: 'step', step: 2, epoch: 1, loss: 1.5, accuracy: 0.2, rate: 0.002, norm: 2 },
  { kind: 'epoch', step: 2, epoch: 1, loss: 1.75, accuracy: 0.15 },
  { kind: 'validation', step: 2, epoch: 1, loss: 1.6, accuracy: 0.25, average: { loss: 1.7, accuracy: 0.2 }, isBest: true },
]

describe('a report', () => {
  const page = async (names: readonly string[] = classes): Promise<string> => {
    const evaluated = valueOf(await evaluate(model as never, { samples, workers: 0 }, { backend: reference, weights, batchSize: 22, examples: 2 })())
    return valueOf(await report({ title: 'a < b', facts: [['data', 'x & y']], metrics, evaluation: { ...evaluated, classes: names } }))
  }

  it('needs nothing but itself: no address, no file, and pictures inside', async () => {
    const text = await page()
    expect(text.match(/https?:|\/\/\w+\.\w|<link|src="(?!data:)|@import|url\((?!data:)/g)).toBeNull()
    expect(text.match(/<img [^>]*src="data:image\/png;base64,/g)).toHaveLength(2 * 2 * 2)
  })

  it('has curves of everything that was measured, the confusion matrix and the samples', async () => {
    const text = await page()
    for (const title of ['Loss', 'Accuracy', 'Rate', 'Norm of the gradients']) expect(text).toContain(`draw("${title}", [[1,2],`)
    expect(text).toContain('draw("Loss", [[1,2],[2,1.5],[null,1.75],[null,1.6],[null,1.7]]')
    for (const name of classes) expect(text).toContain(`<th>${name}</th>`)
    expect(text.match(/<figure/g)).toHaveLength(4)
  })

  it('shows names as they are, whatever is in them', async () => {
    const text = await page(['<script>alert(1)</script>', '"', '&amp;', "'"])
    expect(text).toContain('&#60;script&#62;alert(1)&#60;/script&#62;')
    expect(text).not.toContain('<script>alert')
    expect(text).toContain('<title>a &#60; b</title>')
  })

  it('counts classes by their rows and columns', () => {
    const confusion = Int32Array.of(5, 1, 0, 2, 2, 0, 0, 1, 0)
    expect(classRows({ confusion }, ['a', 'b', 'c'])).toEqual([{ name: 'a', samples: 6, recall: 5 / 6, precision: 5 / 7 }, { name: 'b', samples: 4, recall: 0.5, precision: 0.5 }, { name: 'c', samples: 1, recall: 0, precision: NaN }])
  })

  it('lists the pairs most often mixed up where there are too many classes for a matrix', () => {
    const names = Array.from({ length: 60 }, (_, i) => `class ${i}`)
    const confusion = new Int32Array(3600)
    confusion[7 * 60 + 9] = 12
    const text = confusionTable({ samples: 12, loss: 1, accuracy: 0, top5: 0, confusion }, names)
    expect(text).toContain('<tr><th>class 7</th><td>class 9</td><td>12</td></tr>')
    expect(text).not.toContain('class="confusion"')
  })

  it('says that it needs uplot only where there are curves', async () => {
    expect(valueOf(await report({ title: 'none', facts: [], metrics: [] }))).not.toContain('<script')
  })
})

it('images of a report are those the model got', async () => {
  const { examples } = valueOf(await evaluate(model as never, { samples, mean: [0.4], std: [0.2], workers: 0 }, { backend: reference, weights, batchSize: 22, examples: 30 })())
  expect(examples.length).toBe(samples.size)
  for (const { name, image } of examples) {
    const index = Number(name.split(' ')[1])
    expect([...image.pixels]).toEqual([...(valueOf(await samples.item(index)()).image as { readonly pixels: Uint8Array }).pixels])
    expect([image.height, image.width, image.channels]).toEqual([side, side, 1])
  }
})
