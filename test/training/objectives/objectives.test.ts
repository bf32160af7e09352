import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { right } from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { clipRecipe } from '../../../recipes/clip.js'
import { maeRecipe } from '../../../recipes/mae.js'
import { vitRecipe } from '../../../recipes/vit.js'
import { cpu } from '../../../src/backends/cpu/index.js'
import { reference } from '../../../src/backends/reference/index.js'
import { openSession } from '../../../src/backends/openSession.js'
import { wasm } from '../../../src/backends/wasm/index.js'
import type { AnyModel } from '../../../src/layers/core/model.js'
import { captions } from '../../../src/training/data/captions.js'
import { fromArrays } from '../../../src/training/data/fromArrays.js'
import { reconstructions } from '../../../src/training/evaluate/reconstructions.js'
import { chanceOf } from '../../../src/training/loop/chanceOf.js'
import { prepareTraining } from '../../../src/training/loop/prepareTraining.js'
import { crossEntropy } from '../../../src/training/losses/crossEntropy.js'
import { cutMix, mixUp } from '../../../src/training/mixing.js'
import { beta } from '../../../src/training/mixing/beta.js'
import { drawMix } from '../../../src/training/mixing/drawMix.js'
import { classification, colourisation, contrastive, distillation, inpainting, maskedAutoencoder, maskedPatches, pruning, rotation, tokenLabelling } from '../../../src/training/objectives.js'
import type { Objective } from '../../../src/training/objectives/objective.js'
import { objectiveOf } from '../../../src/training/objectives/objectiveOf.js'
import { openTeacher } from '../../../src/training/objectives/openTeacher.js'
import { recordedTeacher } from '../../../src/training/objectives/recordedTeacher.js'
import { recordTeacher } from '../../../src/training/objectives/recordTeacher.js'
import type { Teacher } from '../../../src/training/objectives/teacher.js'
import { random } from '../../../src/training/random.js'
import { aimOf } from '../../../src/training/routines/aimOf.js'
import { byteTokenizer } from '../../../src/training/text/byteTokenizer.js'
import { initialise } from '../../../src/weights/initialise.js'
import { initialWeights } from '../../../src/weights/initialWeights.js'
import { problemOf, valueOf } from '../../support/either.js'

const folder = mkdtempSync(join(tmpdir(), 'objectives-'))
const sizes = { imageSize: 8, patchSize: 4, dim: 8, depth: 1, numHeads: 2, mlpRatio: 2, numClasses: 3 } as const
const vit = vitRecipe(sizes)
const model = vit.model as unknown as AnyModel
const images = Float32Array.from({ length: 6 * 192 }, (_, i) => ((i * 37) % 101) / 100)
const data = valueOf(fromArrays({ images, labels: Int32Array.of(0, 1, 2, 0, 1, 2), shape: [8, 8, 3], classes: ['a', 'b', 'c'], name: 'six' }))
const batch = { step: 0, images: images.subarray(0, 4 * 192), labels: Int32Array.of(0, 1, 2, 0), size: 4, names: ['six 0', 'six 1', 'six 2', 'six 3'] }
const aimed = (objective: Objective, of: AnyModel = model) => aimOf(of, { loss: crossEntropy, objective }, { batchSize: 4, mean: [0.5], std: [0.25] })
const teacherOf = (backend = reference, more: Partial<Parameters<typeof openTeacher>[1]> = {}) => openTeacher(vit.model as never, { backend, weights: valueOf(initialWeights(vit.model as never, 5)), mean: [0.5], std: [0.25], ...more })()
const fake: Teacher = { about: 'fake', gives: { logits: [3] }, see: () => async () => right({ logits: new Float32Array(12) }), bytes: () => right({ parameters: 0, peak: 0 }), close: () => {} }

describe('chance in mixing', () => {
  it.each([0.2, 0.8, 1, 4])('beta draws with alpha %d are distributed as the density says', alpha => {
    const draws = Array.from({ length: 4000 }, (_, i) => beta(alpha, random(1, 'beta', i))).sort((a, b) => a - b)
    // The distribution function by the midpoint rule, on x = sin²(t), where the density has no poles.
    const cells = 4000
    const weight = (t: number): number => (Math.sin(t) * Math.cos(t)) ** (2 * alpha - 1)
    const sums = [0]
    for (let i = 0; i < cells; i++) sums.push(sums[i]! + weight(((i + 0.5) / cells) * (Math.PI / 2)))
    const below = (x: number): number => sums[Math.round((Math.asin(Math.sqrt(x)) / (Math.PI / 2)) * cells)]! / sums[cells]!
    const gap = Math.max(...draws.map((x, i) => Math.abs(below(x) - (i + 0.5) / draws.length)))
    // Kolmogorov and Smirnov, at one in a thousand.
    expect(gap).toBeLessThan(1.95 / Math.sqrt(draws.length))
  })

  it('it is CutMix as often as it may be, nothing as often as it must, and a box is what lambda leaves out', () => {
    const mixes = Array.from({ length: 2000 }, (_, i) => drawMix({ mixUp: 0.8, cutMix: 1, probability: 0.7, switchProbability: 0.25 }, { height: 10, width: 12 }, random(2, 'mix', i)))
    const share = (holds: (mix: (typeof mixes)[number]) => boolean): number => mixes.filter(holds).length / mixes.length
    const near = (p: number) => 5 * Math.sqrt((p * (1 - p)) / mixes.length)
    expect(Math.abs(share(mix => mix.box === undefined && mix.lambda === 1) - 0.3)).toBeLessThan(near(0.3))
    expect(Math.abs(share(mix => mix.box !== undefined) - 0.7 * 0.25)).toBeLessThan(near(0.175))
    for (const { box, lambda } of mixes) if (box !== undefined) expect(1 - ((box.bottom - box.top) * (box.right - box.left)) / 120).toBeCloseTo(lambda, 12)
  })

  it('images and targets are mixed alike, with the sample at the place from the end', async () => {
    const mix = { mixUp: 0.8, cutMix: 1 }
    const { aim } = valueOf(aimed(classification({ mix })))
    const oneHot = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0)
    for (let step = 0; step < 20; step++) {
      const chance = chanceOf(4, 'train', step)
      const fed = valueOf(await aim.train.feed(batch, chance))
      const { lambda, box } = drawMix(mix, { height: 8, width: 8 }, chance('mix'))
      expect(fed['x']).toEqual(box === undefined ? mixUp(batch.images, 4, lambda) : cutMix(batch.images, 4, { height: 8, width: 8 }, box))
      expect(fed['y']).toEqual(mixUp(oneHot, 4, lambda))
    }
  })

  it('what is fed depends on the seed and the number of the batch alone', async () => {
    const noise = async (seed: number, step: number) => (valueOf(await valueOf(aimed(maskedAutoencoder(), mae)).aim.train.feed(batch, chanceOf(seed, 'train', step)))['x'] as { readonly noise: Float32Array }).noise
    const mae = maeRecipe({ imageSize: 8, patchSize: 2, dim: 8, depth: 1, numHeads: 2, decoderDim: 8, decoderDepth: 1, decoderNumHeads: 2 }).model as unknown as AnyModel
    expect(await noise(1, 3)).toEqual(await noise(1, 3))
    for (const other of [await noise(2, 3), await noise(1, 4)]) expect(other).not.toEqual(await noise(1, 3))
  })
})

describe('what is shown of an image', () => {
  it('inpainting takes as much away as it is told, and nothing else', async () => {
    const { aim } = valueOf(aimed(inpainting({ share: 0.5, place: 'random' }), vit.pretexts!['inpainting']!({})))
    const { x, whole, lost } = valueOf(await aim.train.feed(batch, chanceOf(1, 'train', 0))) as Readonly<Record<string, Float32Array>>
    expect(whole).toEqual(batch.images)
    expect(lost!.filter(gone => gone === 1).length).toBe(4 * 16)
    x!.forEach((value, i) => expect(value).toBe(lost![Math.floor(i / 3)] === 1 ? 0 : batch.images[i]))
  })

  it('masked patches are judged by those that were hidden alone, about as many as were to be', async () => {
    const pixels = vitRecipe({ ...sizes, patchSize: 2 }).pretexts!['maskedPatches']!({ hiddenShare: 0.25 })
    const { aim, graph } = valueOf(aimed(maskedPatches(), pixels))
    const weights = new Map(graph.parameters.map(({ attributes: { name, initialiser }, shape }) => [name, initialise(initialiser, shape, 2, name)]))
    const { inputs, loss } = aim.train
    using session = valueOf(await openSession({ run: { inputs, outputs: { loss, said: graph.output, hidden: graph.features.get('hide.mask')! } } }, { backend: reference, weights })())
    let hidden = 0
    for (let step = 0; step < 40; step++) {
      const given = valueOf(await session.run('run', valueOf(await aim.train.feed(batch, chanceOf(1, 'train', step))), { seed: 1, step })()) as Readonly<Record<'loss' | 'said' | 'hidden', Float32Array>>
      let [sum, count] = [0, 0]
      for (let sample = 0; sample < 4; sample++)
        for (let p = 0; p < 16; p++) {
          if (given.hidden[sample * 16 + p] !== 1) continue
          count++
          for (let i = 0; i < 12; i++) {
            // Patches row by row, each by row, column and channel.
            const [row, column, channel] = [2 * Math.floor(p / 4) + Math.floor(i / 6), 2 * (p % 4) + (Math.floor(i / 3) % 2), i % 3]
            sum += (given.said[(sample * 16 + p) * 12 + i]! - batch.images[((sample * 8 + row) * 8 + column) * 3 + channel]!) ** 2 / 12
          }
        }
      expect(given.loss[0]).toBeCloseTo(sum / count, 5)
      hidden += count
    }
    expect(Math.abs(hidden / (40 * 64) - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / (40 * 64)))
  })

  it('of hidden patches the mean colour can be told instead, in eight steps a channel', async () => {
    const model = vitRecipe({ ...sizes, patchSize: 2 }).pretexts!['maskedPatches']!({ target: 'meanColour' })
    const { aim, graph } = valueOf(aimed(maskedPatches({ target: 'meanColour' }), model))
    const weights = new Map(graph.parameters.map(({ attributes: { name, initialiser }, shape }) => [name, initialise(initialiser, shape, 2, name)]))
    const { inputs, loss } = aim.train
    using session = valueOf(await openSession({ run: { inputs, outputs: { loss, said: graph.output, hidden: graph.features.get('hide.mask')! } } }, { backend: reference, weights })())
    const images = Float32Array.from({ length: 192 }, (_, i) => [0.9, 0.3, 0.05][i % 3]! * (0.5 + (Math.floor(i / 24) + (Math.floor(i / 3) % 8)) / 28))
    const fed = valueOf(await aim.train.feed({ ...batch, images: images.map(value => (value - 0.5) / 0.25), size: 1 }, chanceOf(1, 'train', 0))) as Readonly<Record<'y', Int32Array>>
    const meanOf = (p: number, c: number) => [0, 1, 2, 3].reduce((sum, i) => sum + images[((2 * Math.floor(p / 4) + (i >> 1)) * 8 + 2 * (p % 4) + (i & 1)) * 3 + c]! / 4, 0)
    expect([...fed.y]).toEqual(Array.from({ length: 16 }, (_, p) => [0, 1, 2].reduce((number, c) => 8 * number + Math.min(7, Math.floor(8 * meanOf(p, c))), 0)))
    const given = valueOf(await session.run('run', fed, { seed: 1, step: 0 })()) as Readonly<Record<'loss' | 'said' | 'hidden', Float32Array>>
    const misses = [...fed.y].flatMap((colour, p) => {
      const row = [...given.said.subarray(p * 512, (p + 1) * 512)]
      return given.hidden[p] === 1 ? [Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[colour]!] : []
    })
    expect(misses.length).toBeGreaterThan(2)
    expect(given.loss[0]).toBeCloseTo(misses.reduce((a, b) => a + b) / misses.length, 5)
  })

  it('colourisation shows the luma of ITU-R 601 in every channel', async () => {
    const { aim } = valueOf(aimed(colourisation(), vit.pretexts!['colourisation']!({})))
    const { x } = valueOf(await aim.train.feed(batch, chanceOf(1, 'train', 0))) as Readonly<Record<string, Float32Array>>
    for (let p = 0; p < 256; p++) {
      const [r, g, b] = [0, 1, 2].map(c => 0.25 * batch.images[3 * p + c]! + 0.5) as [number, number, number]
      for (let c = 0; c < 3; c++) expect(x![3 * p + c]).toBeCloseTo((0.299 * r + 0.587 * g + 0.114 * b - 0.5) / 0.25, 5)
    }
  })

  it.each([
    ['masked patches', maskedPatches(), vitRecipe({ ...sizes, patchSize: 2 }).pretexts!['maskedPatches']!({ hiddenShare: 0.5 })],
    ['a hole', inpainting(), vit.pretexts!['inpainting']!({})],
    ['a masked autoencoder', maskedAutoencoder(), maeRecipe({ imageSize: 8, patchSize: 2, dim: 8, depth: 1, numHeads: 2, decoderDim: 8, decoderDepth: 1, decoderNumHeads: 2 }).model as unknown as AnyModel],
  ] as const)('and what is made of it, with %s: where it was shown, the picture is the image', async (_, objective, of) => {
    const { aim, graph } = valueOf(aimed(objective, of))
    const weights = valueOf(initialWeights(of as never, 1))
    for (const parameter of graph.parameters) if (!weights.has(parameter.attributes.name)) (weights as Map<string, Float32Array>).set(parameter.attributes.name, new Float32Array(parameter.shape.reduce((a, b) => a * b, 1)))
    const made = valueOf(await reconstructions(aim, { samples: data, mean: [0.5], std: [0.25], workers: 0 }, { backend: wasm, weights, examples: 4 })())
    expect(made.map(({ name }) => name)).toEqual(['six 0', 'six 1', 'six 2', 'six 3'])
    for (const { image, made: said } of made) {
      const kept = said.pixels.filter((value, i) => value === image.pixels[i]).length / image.pixels.length
      expect(kept).toBeGreaterThan(0.2)
      expect(kept).toBeLessThan(0.95)
    }
  })
})

describe('a teacher', () => {
  it.each([['cpu', cpu], ['wasm', wasm]] as const)('may run on another backend (%s), and sees images normalised as it learned them, however they come', async (_, backend) => {
    const [centre, spread] = [[0.1, 0.2, 0.3], [0.5, 1, 2]] as const
    const pixels = images.subarray(0, 4 * 192)
    const seen = (teacher: Teacher, mean: readonly number[], std: readonly number[]) => teacher.see({ images: pixels.map((value, i) => (value - (mean[i % 3] ?? mean[0]!)) / (std[i % 3] ?? std[0]!)), names: batch.names, mean, std })()
    const teacher = valueOf(await teacherOf(backend, { mean: centre, std: spread }))
    const expected = valueOf(await seen(teacher, centre, spread)).logits
    for (const [mean, std] of [[[0], [1]], [[0.7], [0.1]], [[0.5, 0.4, 0.3], [0.2, 0.3, 0.4]]] as const) valueOf(await seen(teacher, mean, std)).logits.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4))
    const reckoned = valueOf(await teacherOf(reference, { mean: centre, std: spread }))
    valueOf(await seen(reckoned, [0], [1])).logits.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4))
    for (const each of [teacher, reckoned]) each.close()
  })

  it('that was recorded says of each sample what it said, and nothing of others', async () => {
    const path = join(folder, 'teacher.safetensors')
    const teacher = valueOf(await teacherOf())
    expect(valueOf(await recordTeacher(path, teacher, { samples: data, batchSize: 4, mean: [0.5], std: [0.25], workers: 0 })()).samples).toBe(6)
    const normalised = images.map(value => (value - 0.5) / 0.25)
    const said = valueOf(await teacher.see({ images: normalised, names: [], mean: [0.5], std: [0.25] })()).logits
    const recorded = valueOf(await recordedTeacher(path)())
    expect(recorded.classes).toEqual(['a', 'b', 'c'])
    const heard = valueOf(await recorded.see({ images: new Float32Array(0), names: ['six 5', 'six 0'], mean: [0], std: [1] })()).logits
    expect([...heard]).toEqual([...said.subarray(15, 18), ...said.subarray(0, 3)])
    expect(problemOf(await recorded.see({ images: new Float32Array(0), names: ['seven'], mean: [0], std: [1] })())).toMatchObject({ code: 'notRecorded', path: 'seven' })
    expect(problemOf(aimed(distillation({ teacher: recorded, mix: { mixUp: 1 } }))).sentence).toBe('train: a teacher that was recorded cannot say anything of samples that are mixed')
    writeFileSync(join(folder, 'none.safetensors'), readFileSync(path).subarray(0, 20))
    expect(problemOf(await recordedTeacher(join(folder, 'none.safetensors'))()).sentence).toContain('none.safetensors')
    teacher.close()
  })

  it('counts in what a training says that it holds', async () => {
    const plan = async (objective: Objective) => {
      const training = valueOf(await prepareTraining(model, { train: data, workers: 0 }, { backend: wasm, steps: 1, batchSize: 4, objective, optimiser: { name: 'adamw' }, schedule: { name: 'constant', config: { rate: 0.1 } } })())
      await training.dispose()
      return training.plan.bytes
    }
    const teacher = valueOf(await teacherOf(wasm))
    const [alone, taught] = [await plan(distillation({ teacher: fake })), await plan(distillation({ teacher }))]
    const own = valueOf(teacher.bytes(4))
    expect([taught.parameters - alone.parameters, taught.peak - alone.peak]).toEqual([own.parameters, own.peak])
    teacher.close()
  })
})

describe('pairs of images and texts', () => {
  it('are read from JSON lines and from tabs, each text once', async () => {
    writeFileSync(join(folder, 'pairs.jsonl'), '{"image":"a.png","text":"a cat"}\n\n{"image":"b.png","text":"a dog "}\n{"image":"c.png","text":"a cat"}\n')
    writeFileSync(join(folder, 'pairs.tsv'), '\uFEFFa.png\ta cat\r\nb.png\ta dog\r\nc.png\ta cat\r\n')
    for (const file of ['pairs.jsonl', 'pairs.tsv']) {
      const pairs = valueOf(await captions(join(folder, file))())
      expect([pairs.classes, [...pairs.labels], pairs.size]).toEqual([['a cat', 'a dog'], [0, 1, 0], 3])
      expect(valueOf(await pairs.item(1)()).image).toEqual({ file: join(folder, 'b.png') })
    }
  })

  it.each([
    ['broken.jsonl', '{"image":"a.png","text":"a cat"}\nnonsense\n', 'captionMalformed', /line 2: is no pair/],
    ['textless.jsonl', '{"image":"a.png"}\n', 'captionMalformed', /line 1/],
    ['spaces.tsv', 'a.png a cat\n', 'captionMalformed', /line 1/],
    ['empty.jsonl', '\n', 'noSamples', /holds no pairs/],
  ])('that are none (%s) are told with their line', async (file, text, code, sentence) => {
    writeFileSync(join(folder, file), text)
    expect(problemOf(await captions(join(folder, file))())).toMatchObject({ code, sentence: expect.stringMatching(sentence) as string })
  })

  it('count as found where another image has the same text', () => {
    const clip = clipRecipe({ imageSize: 8, patchSize: 4, embedDim: 4, dim: 8, depth: 1, numHeads: 2, textDim: 8, textDepth: 1, textNumHeads: 2, vocabularySize: 258, contextLength: 8 })
    const { aim } = valueOf(aimOf(clip.model as unknown as AnyModel, { loss: crossEntropy, objective: contrastive({ tokenizer: byteTokenizer }) }, { batchSize: 3, train: { classes: ['a cat', 'a dog'] } }))
    const similar = Float32Array.of(0, 0, 1, 0, 1, 0, 0, 1, 0)
    expect(aim.train.hits!({ similar }, {}, { ...batch, labels: Int32Array.of(0, 1, 0), size: 3 })).toBe(2)
    const long = aimOf(clip.model as unknown as AnyModel, { loss: crossEntropy, objective: contrastive({ tokenizer: byteTokenizer }) }, { batchSize: 3, train: { classes: ['a very long text'] } })
    expect(problemOf(long)).toMatchObject({ code: 'textMalformed', sentence: "train: 'a very long text': the text has 17 tokens, and the model reads 8" })
  })
})

describe('what does not fit is told before the first step', () => {
  it.each([
    ['a classifier as an autoencoder', maskedAutoencoder(), model, 'notAnAutoencoder'],
    ['a classifier as a token labeller', tokenLabelling(), model, 'notATokenLabeller'],
    ['a classifier as a pruner', pruning({ teacher: fake, shares: [0.5] }), model, 'notAPruner'],
    ['a classifier as two towers', contrastive({ tokenizer: byteTokenizer }), model, 'notATwoTowerModel'],
    ['a classifier of hidden patches', maskedPatches(), model, 'hidesNothing'],
    ['a classifier that restores', inpainting(), model, 'notARestorer'],
    ['grey images to be coloured', colourisation(), vitRecipe({ ...sizes, channels: 1 }).pretexts!['colourisation']!({}), 'notInColour'],
    ['three classes of turns', rotation(), model, 'notFourClasses'],
    ['images that are not square', rotation(), vitRecipe({ ...sizes, imageSize: [8, 16], numClasses: 4 }).model as unknown as AnyModel, 'notSquare'],
    ['a teacher of other images', distillation({ teacher: { ...fake, image: [16, 16, 3] } }), model, 'teacherMisfit'],
    ['a teacher of other classes', distillation({ teacher: { ...fake, gives: { logits: [10] } } }), model, 'lossMisfit'],
  ] as const)('%s', (_, objective, of, code) => {
    expect(problemOf(aimed(objective, of))).toMatchObject({ code })
  })

  it.each([
    ['distilation', {}, 'unknownName', "did you mean 'distillation'?"],
    ['distillation', {}, 'missingOption', undefined],
    ['distillation', { teacher: { model: 'vit_fashion_mnist' } }, 'teacherMissing', undefined],
    ['distillation', { teacher: { modell: 'a' } }, 'badOption', undefined],
    ['classification', { mix: { mixup: 0.8 } }, 'badOption', undefined],
    ['classification', { mixing: {} }, 'unknownOption', undefined],
    ['pruning', { teacher: { model: 'a' }, shares: [1.5] }, 'badOption', undefined],
    ['inpainting', { place: 'left' }, 'badOption', undefined],
  ] as const)('%s %j', (name, config, code, remedy) => {
    expect(problemOf(objectiveOf({ name, config }))).toMatchObject({ code, ...(remedy === undefined ? {} : { remedy }) })
  })
})
