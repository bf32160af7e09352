import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { batchNorm, defineLayer, freeze, globalPool, input, linear, named, ops, remat, serial, type KeepsShape } from '../../src/index.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { checkpoints, files } from '../../src/training/checkpoint/checkpoints.js'
import { fromArrays } from '../../src/training/data/fromArrays.js'
import { train } from '../../src/training/loop/train.js'
import type { TrainingData } from '../../src/training/loop/trainingData.js'
import type { TrainingEvent } from '../../src/training/loop/trainingEvent.js'
import type { TrainOptions } from '../../src/training/loop/trainOptions.js'
import { crossEntropy } from '../../src/training/losses/crossEntropy.js'
import type { Metric } from '../../src/training/metrics/metric.js'
import { classification } from '../../src/training/objectives/classification.js'
import type { Subject } from '../../src/training/objectives/objective.js'
import { adamw } from '../../src/training/optimisers/adamw.js'
import { constant } from '../../src/training/schedules/constant.js'
import { cosine } from '../../src/training/schedules/cosine.js'
import { initialWeights } from '../../src/weights/initialWeights.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { problemOf, valueOf } from '../support/either.js'
import { smallVit, stripes } from './stripes.js'

const data: TrainingData = { train: stripes(32, 1), validation: stripes(16, 2), workers: 0 }
const base: Omit<TrainOptions, 'epochs'> = { backend: wasm, batchSize: 8, optimiser: { name: 'adamw' }, schedule: { name: 'constant', config: { rate: 0.001 } } }
const run = (more: Partial<TrainOptions> = {}, model: AnyModel = smallVit({ depth: 1, dim: 8 }), from: TrainingData = data) => train(model as never, from, { ...base, ...('steps' in more ? {} : { epochs: 1 }), ...more })()

/** All metrics of a training, and its result. */
const told = async (more: Partial<TrainOptions> = {}, model?: AnyModel, from?: TrainingData) => {
  const metrics: Metric[] = []
  const result = valueOf(await run({ ...more, onEvent: event => event.kind === 'metric' && metrics.push(event.metric) }, model, from))
  return { result, metrics, of: <K extends Metric['kind']>(kind: K) => metrics.filter((m): m is Extract<Metric, { kind: K }> => m.kind === kind) }
}

describe('a training', () => {
  it('teaches a small ViT which way stripes run: nine of ten it has not seen, after ten epochs', async () => {
    const { result, of } = await told(
      { epochs: 10, batchSize: 32, schedule: { name: 'cosine', config: { rate: 0.004 } }, warmup: { epochs: 1 }, clipNorm: 1, optimiser: { name: 'adamw', config: { weightDecay: 0.05 } } },
      smallVit(),
      { train: stripes(384, 1), validation: stripes(128, 2), mean: [0.5], std: [0.3], workers: 0 },
    )
    expect(result.validation!.accuracy).toBeGreaterThan(0.9)
    expect(of('validation').at(-1)!.loss).toBeLessThan(0.5 * of('validation')[0]!.loss)
  })

  it('tells what it will do, each step, each epoch and each validation', async () => {
    const events: TrainingEvent[] = []
    valueOf(await run({ epochs: 2, onEvent: event => events.push(event) }))
    expect(events[0]).toMatchObject({ kind: 'started', plan: { backend: 'wasm', samples: 32, validationSamples: 16, classes: ['across', 'down', 'falling', 'rising'], epochs: 2, steps: 8, stepsPerEpoch: 4, from: 0 } })
    const metrics = events.flatMap(e => (e.kind === 'metric' ? [`${e.metric.kind} ${e.metric.step}`] : []))
    const steps = (from: number) => [0, 1, 2, 3].map(i => `step ${from + i}`)
    expect(metrics).toEqual([...steps(1), 'epoch 4', 'validation 4', ...steps(5), 'epoch 8', 'validation 8'])
  })

  it('begins with the loss of chance, and its epochs are the means of their steps', async () => {
    const { of } = await told({ epochs: 2 })
    expect(of('step')[0]!.loss).toBeCloseTo(Math.log(4), 0)
    const mean = (key: 'loss' | 'accuracy', from: number) => of('step').slice(from, from + 4).reduce((sum, m) => sum + m[key]!, 0) / 4
    for (const [i, epoch] of of('epoch').entries()) for (const key of ['loss', 'accuracy'] as const) expect(epoch[key]).toBeCloseTo(mean(key, 4 * i), 12)
  })

  it('follows its schedule, warm-up and all', async () => {
    const { of } = await told({ epochs: 2, schedule: { name: 'cosine', config: { rate: 0.01 } }, warmup: { epochs: 0.5, from: 0.001 } })
    const half = (step: number) => 0.005 * (1 + Math.cos((Math.PI * step) / 8))
    expect(of('step').map(m => m.rate)).toEqual([0.001, 0.0055, ...[2, 3, 4, 5, 6, 7].map(half)].map(rate => expect.closeTo(rate, 12) as number))
  })

  it('rises for one update at least, however short a part of an epoch its warm-up is', async () => {
    const { of } = await told({ warmup: { epochs: 0.1 } })
    expect(of('step').map(m => m.rate)).toEqual([0, 0.001, 0.001, 0.001])
  })

  it('stops when it has not become better for as many validations as it may', async () => {
    const { result, of } = await told({ epochs: 50, patience: 3, schedule: { name: 'constant', config: { rate: 1e-12 } }, watch: 'accuracy' })
    expect(result).toMatchObject({ reason: 'stoppedEarly', step: 16, best: { step: 4 } })
    expect(of('validation').map(m => m.isBest)).toEqual([true, false, false, false])
  })

  it('keeps an average of weights by its rule, which is what is validated', async () => {
    const model = smallVit({ depth: 1, dim: 8 })
    const begun = valueOf(initialWeights(model as never, 0)).get('head.weight')!
    const one = (await told({ steps: 1, average: 0.75, optimiser: { name: 'sgd' } }, model)).result
    const mixed = begun.map((w, i) => Math.fround(0.75 * w + 0.25 * one.weights.get('head.weight')![i]!))
    one.average!.get('head.weight')!.forEach((w, i) => expect(w).toBeCloseTo(mixed[i]!, 6))
    const still = (await told({ epochs: 1, average: 0.999999, schedule: { name: 'constant', config: { rate: 0.1 } } }, model)).of('validation')[0]!
    expect(still.average!.loss).toBeCloseTo(Math.log(4), 0)
    expect(Math.abs(still.loss - still.average!.loss)).toBeGreaterThan(0.01)
  })

  it('leaves frozen parameters as they are, to the bit, and moves all others', async () => {
    const model = smallVit({ depth: 1, dim: 8 })
    const frozen = valueOf(freeze(model as never, ['patch_embed', 'blocks.0.attn']) as never) as AnyModel
    const folder = join(mkdtempSync(join(tmpdir(), 'frozen-')), 'run')
    const { weights } = (await told({ folder, optimiser: { name: 'adamw' } }, frozen)).result
    const begun = valueOf(initialWeights(model as never, 0))
    const moved = [...begun].filter(([name, values]) => values.some((value, i) => value !== weights.get(name)![i])).map(([name]) => name)
    expect([...begun.keys()].filter(name => !moved.includes(name)).sort()).toEqual([...begun.keys()].filter(name => /^(patch_embed|blocks\.0\.attn)\./.test(name)).sort())
    const file = valueOf(await openSafetensors(join(folder, 'last.safetensors'))())
    expect([...file.tensors.keys()].filter(name => !name.startsWith('@')).sort()).toEqual([...begun.keys()].sort())
    expect([...file.tensors.keys()].filter(name => /^@.*(patch_embed|attn)/.test(name))).toEqual([])
    await file.close()
  })

  it('moves the running statistics of batch norms as PyTorch does', async () => {
    const model = pipe(input(2, 2, 3), named('bn', batchNorm()), globalPool(), named('head', linear(2))) as unknown as AnyModel
    const images = Float32Array.from({ length: 8 * 12 }, (_, i) => (i * 0.37) % 1)
    const { weights } = (await told({ steps: 1, batchSize: 8, backend: reference }, model, { train: valueOf(fromArrays({ images, labels: Int32Array.from({ length: 8 }, (_, i) => i % 2), shape: [2, 2, 3] })), workers: 0 })).result
    for (const c of [0, 1, 2]) {
      const values = images.filter((_, i) => i % 3 === c)
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      const unbiased = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
      expect(weights.get('bn.running_mean')![c]).toBeCloseTo(0.1 * mean, 6)
      expect(weights.get('bn.running_var')![c]).toBeCloseTo(0.9 + 0.1 * unbiased, 6)
    }
  })
})

describe('numbers that are no longer finite stop it', () => {
  /** The logarithm, or the root, of what may be 0. */
  const dangerous = (op: 'log' | 'sqrt') => defineLayer<KeepsShape<'dangerous'>>('dangerous', dangerous, [op], { forward: x => ops[op](ops.relu(x as Tensor)) })
  const faulty = (op: 'log' | 'sqrt', wrapped = (layer: ReturnType<typeof dangerous>) => layer): AnyModel => pipe(input(12, 12, 1), globalPool(), named('first', linear(6)), named('middle', serial(named('inner', wrapped(dangerous(op))))), named('head', linear(4))) as unknown as AnyModel

  it('and the step, the layer and the op where they appeared are told', async () => {
    expect(problemOf(await run({}, faulty('log')))).toMatchObject({ code: 'notFinite', path: 'middle.inner', sentence: "train: numbers are no longer finite at step 1: first in 'middle.inner', op 'log'" })
    expect(problemOf(await run({}, faulty('log', remat as never))).path).toBe('middle.inner')
  })

  it('also where they are in the gradient alone, and where several batches make an update', async () => {
    // The root of 0 is 0, but rises without bound there.
    for (const accumulate of [1, 2]) expect(problemOf(await run({ accumulate }, faulty('sqrt'))).sentence).toMatch(/^train: numbers are no longer finite at step 1: first in the gradient of 'middle\.inner', op '\w+'$/)
  })

  it('where they are in the samples, these are told', async () => {
    const images = new Float32Array(8 * 144).fill(0.5)
    images[3 * 144] = NaN
    const broken = valueOf(fromArrays({ images, labels: Int32Array.from({ length: 8 }, (_, i) => i % 4), shape: [12, 12, 1], name: 'broken' }))
    expect(problemOf(await run({}, undefined, { train: broken, workers: 0 })).sentence).toMatch(/at step 1: the batch itself holds such a number \(broken \d/)
  })

  it('where an update brought them about, the parameters, and the checkpoint before stays', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'loop-')), 'run')
    const rate = (step: number): number => (step < 1 ? 1e-4 : 3e38)
    const problem = problemOf(await run({ steps: 2, folder, checkpointEvery: 1, optimiser: { name: 'sgd' }, loss: (logits, labels) => ops.multiply(ops.scalar(1e4), crossEntropy(logits, labels)), schedule: { name: 'leap', config: {}, rate } }))
    expect(problem).toMatchObject({ code: 'notFinite', sentence: expect.stringMatching(/^train: after step 2, numbers are no longer finite in '/) as string, remedy: expect.stringMatching(/this step is in no checkpoint$/) as string })
    expect(valueOf(await checkpoints.latest(folder)()).checkpoint.progress.step).toBe(1)
    expect(existsSync(join(folder, files.best))).toBe(false)
  })

  it('with the gradient or the update they began in', async () => {
    const problem = problemOf(await run({ epochs: 9, optimiser: { name: 'sgd' }, schedule: { name: 'constant', config: { rate: 1e37 } } }))
    expect(problem.sentence).toMatch(/^train: numbers are no longer finite at step [2-4]: (first in|the parameter)/)
    expect(problem.path).not.toBe('')
  })
})

describe("a schedule of a person's own", () => {
  const own = (rates: readonly number[]) => ({ name: 'own', config: {}, rate: (step: number) => rates[step]! })

  it('is followed, also where an optimiser is of their own', async () => {
    const { of } = await told({ steps: 2, schedule: own([0.01, 0]), optimiser: { ...adamw(), name: 'own', config: { anything: 1 } } })
    expect(of('step').map(m => m.rate)).toEqual([0.01, 0])
  })

  it.each([-0.1, NaN, 1e39])('stops before a step at the rate %d', async rate => {
    expect(problemOf(await run({ steps: 2, schedule: own([0.01, rate]) }))).toMatchObject({ code: 'badRate', path: 'schedule', sentence: `train: the schedule gives the rate ${rate} at step 2` })
  })
})

describe('what cannot be trained is told before the first step', () => {
  it.each([
    ['data of other classes', {}, smallVit({ numClasses: 10 }), undefined, 'classesMisfit', 'stripes: has 4 classes, but the model tells 10 apart'],
    ['a batch larger than the data', { batchSize: 33 }, undefined, undefined, 'batchTooLarge', 'stripes: a batch of 33 is more than all 32 samples'],
    ['more batches to an update than there are', { accumulate: 5 }, undefined, undefined, 'tooFewBatches', 'train: an update gathers 5 batches, but an epoch has 4'],
    ['a model that gives no classes', {}, pipe(input(12, 12, 1), named('a', linear(3))) as unknown as AnyModel, undefined, 'notAClassifier', 'train: the model gives 12×12×3, not one number for each class'],
    ['a model of vectors', {}, pipe(input(12), linear(4)) as unknown as AnyModel, undefined, 'notAnImageModel', 'the model takes 12, not an image of height, width and channels'],
    ['a model that is frozen', {}, valueOf(freeze(smallVit() as never, '**') as never) as AnyModel, undefined, 'nothingToTrain', 'train: every parameter of the model is frozen'],
    ['neither epochs nor steps', { epochs: undefined }, undefined, undefined, 'missingOption', "train: needs 'epochs' or 'steps', but has neither"],
    ['both', { steps: 3, epochs: 1 }, undefined, undefined, 'badOption', "train: needs 'epochs' or 'steps', not both"],
    ['an optimiser there is not', { optimiser: { name: 'adamm' } }, undefined, undefined, 'unknownName', "optimiser: there is none called 'adamm'"],
    ['an optimiser that is only a name', { optimiser: 'adamw' }, undefined, undefined, 'notNamed', 'optimiser: expects { name, config }'],
    ['an optimiser that is nothing', { optimiser: null }, undefined, undefined, 'notNamed', 'optimiser: expects { name, config }'],
    ['a schedule that is only a name', { schedule: 'cosine' }, undefined, undefined, 'notNamed', 'schedule: expects { name, config }'],
    ['a rate beside the options', { schedule: { name: 'constant', rate: 0.001 } }, undefined, undefined, 'notNamed', "schedule constant: expects { name, config }, but there is 'rate' beside them"],
    ['an optimiser made with impossible options', { optimiser: adamw({ betas: [1, 2] }) }, undefined, undefined, 'badOption', 'optimiser adamw: betas must be two numbers, each at least 0 and below 1, got [1,2]'],
    ['a schedule made with a rate below 0', { schedule: constant({ rate: -1 }) }, undefined, undefined, 'badOption', 'schedule constant: rate must be a number above 0, got -1'],
    ['a schedule made for no steps', { schedule: cosine({ rate: 0.1, steps: 0 }) }, undefined, undefined, 'badOption', 'schedule cosine: steps must be a number above 0, got 0'],
    ['a warm-up from below 0', { warmup: { epochs: 3, from: -1 } }, undefined, undefined, 'badOption', 'train: warmup.from must be a number from 0, got -1'],
    ['validation data whose classes have another order', {}, undefined, { ...data, validation: { ...stripes(16, 2), classes: ['down', 'across', 'falling', 'rising'], name: 'others' } }, 'classesMisfit', "others: class 0 is 'down', but 'across' in stripes"],
    ['a loss beside an objective that has its own', { loss: { name: 'focal' }, objective: { ...classification(), name: 'own', aim: (subject: Subject) => classification().aim({ ...subject, loss: crossEntropy }) } }, undefined, undefined, 'badOption', "train: loss would change nothing, for the objective 'own' has a loss of its own"],
    ['a share that is none', { average: 1.5 }, undefined, undefined, 'badOption', 'train: average must be a number between 0 and 1, such as 0.999, got 1.5'],
  ] as const)('%s', async (_, more, model, from, code, sentence) => {
    expect(problemOf(await run(more as Partial<TrainOptions>, model, from))).toMatchObject({ code, sentence })
  })
})
