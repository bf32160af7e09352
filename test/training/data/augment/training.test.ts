import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { wasm } from '../../../../src/backends/wasm/index.js'
import { augmentations } from '../../../../src/training/index.js'
import { files } from '../../../../src/training/checkpoint/checkpoints.js'
import { readConfig } from '../../../../src/training/config/readConfig.js'
import { prepareTraining } from '../../../../src/training/loop/prepareTraining.js'
import { train } from '../../../../src/training/loop/train.js'
import type { TrainingData } from '../../../../src/training/loop/trainingData.js'
import type { TrainOptions } from '../../../../src/training/loop/trainOptions.js'
import { problemOf, valueOf } from '../../../support/either.js'
import { smallVit, stripes } from '../../stripes.js'
import { collect } from '../collect.js'

const place = (): string => join(mkdtempSync(join(tmpdir(), 'augmented-')), 'run')
const data: TrainingData = { train: stripes(44, 1), validation: stripes(12, 2), mean: [0.5], std: [0.25], workers: 0 }
const model = smallVit({ depth: 1, dim: 8 })
const augment: TrainOptions['augment'] = ['padAndCrop', 'horizontalFlip', 'rand-m9-mstd0.5-inc1', { name: 'randomErasing', config: { probability: 0.5 } }, 'repeated']
const settings: TrainOptions = { backend: wasm, batchSize: 8, steps: 11, seed: 9, checkpointEvery: 3, optimiser: { name: 'adamw' }, schedule: { name: 'constant', config: { rate: 0.003 } }, augment }
const run = (folder: string, more: Partial<TrainOptions> = {}, from = data) => train(model as never, from, { ...settings, ...more, folder })()
const written = (folder: string): readonly string[] => [files.last, files.best, files.metrics].map(name => readFileSync(join(folder, name)).toString('latin1'))

describe('an augmented training', () => {
  it('stopped and resumed, or with other threads, ends with the same bytes', async () => {
    const [whole, resumed, threads, without] = [place(), place(), place(), place()]
    valueOf(await run(whole))
    const stop = new AbortController()
    valueOf(await run(resumed, { signal: stop.signal, onEvent: event => event.kind === 'metric' && event.metric.step === 7 && stop.abort() }))
    valueOf(await run(resumed, { resume: true }))
    expect(written(resumed)).toEqual(written(whole))
    valueOf(await run(threads, {}, { ...data, workers: 2 }))
    expect(written(threads)).toEqual(written(whole))
    valueOf(await run(without, { augment: [] }))
    expect(written(without)[2]).not.toBe(written(whole)[2])
  })

  it('is validated on samples as they are', async () => {
    const share: TrainingData = { ...data, validation: 0.25 }
    for (const from of [data, share]) {
      const [plain, augmented] = await Promise.all([[], augment].map(async steps => valueOf(await prepareTraining(model, from, { ...settings, augment: steps })())))
      expect(await collect(augmented!.validation!, 0)).toEqual(await collect(plain!.validation!, 0))
      expect(await collect(augmented!.train, 0)).not.toEqual(await collect(plain!.train, 0))
      await Promise.all([plain!.dispose(), augmented!.dispose()])
    }
  })

  it('goes on only with the steps that it began with, however they are written', async () => {
    const folder = place()
    const first = { steps: 3 }
    valueOf(await run(folder, first))
    expect(problemOf(await run(folder, { resume: true, augment: ['padAndCrop'] }))).toMatchObject({ code: 'configChanged', sentence: expect.stringContaining('augment') as string })
    const { padAndCrop, horizontalFlip, randAugment, randomErasing, repeated } = augmentations
    const made = [padAndCrop(), horizontalFlip(), randAugment({ magnitude: 9, magnitudeStd: 0.5, increasing: true }), randomErasing({ probability: 0.5 }), repeated()]
    expect(valueOf(await run(folder, { resume: true, augment: made })).step).toBe(11)
  })

  it('is refused before it begins where a step cannot be', async () => {
    expect(problemOf(await run(place(), { augment: ['rand-m9', 'randomResizedCrop'] })).code).toBe('augmentOrder')
    expect(problemOf(await run(place(), { augment: [augmentations.randomErasing({ probability: 2 })] })).sentence).toBe('augment randomErasing: probability must be a number from 0 to 1, got 2')
  })

  it('is read out of a configuration', () => {
    const config = { model: 'vit_fashion_mnist', data: { kind: 'folder', path: 'images' }, epochs: 1, batchSize: 4, optimiser: { name: 'sgd' }, schedule: { name: 'constant', config: { rate: 0.1 } } }
    expect(valueOf(readConfig({ ...config, augment })).augment).toEqual(augment)
    expect(problemOf(readConfig({ ...config, augment: ['randomFlip'] })).code).toBe('unknownName')
    expect(problemOf(readConfig({ ...config, augments: [] })).remedy).toBe("did you mean 'augment'?")
  })
})
