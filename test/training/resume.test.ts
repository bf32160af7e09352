import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { freeze } from '../../src/graph/tree/freeze.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import { files } from '../../src/training/checkpoint/checkpoints.js'
import { prepareTraining } from '../../src/training/loop/prepareTraining.js'
import { train } from '../../src/training/loop/train.js'
import type { TrainingData } from '../../src/training/loop/trainingData.js'
import type { TrainingEvent } from '../../src/training/loop/trainingEvent.js'
import type { TrainOptions } from '../../src/training/loop/trainOptions.js'
import { problemOf, valueOf } from '../support/either.js'
import { smallVit, stripes } from './stripes.js'

const place = (): string => join(mkdtempSync(join(tmpdir(), 'resume-')), 'run')
const data: TrainingData = { train: stripes(44, 1), validation: stripes(20, 2), workers: 0 }
const model = smallVit({ depth: 1, dim: 8, dropPath: 0.3, dropout: 0.1 })

/** Everything at once that has a state: momentum, average, warm-up, masks, a best, an epoch that does not end evenly. */
const settings: Omit<TrainOptions, 'folder'> = {
  backend: wasm, batchSize: 8, steps: 23, seed: 9, average: 0.8, clipNorm: 1, validateEvery: 4, checkpointEvery: 3,
  optimiser: { name: 'adamw' }, schedule: { name: 'cosine', config: { rate: 0.01 } }, warmup: { steps: 4 },
}

const run = (folder: string, more: Partial<TrainOptions> = {}, of: AnyModel = model, from: TrainingData = data) => train(of as never, from, { ...settings, ...more, folder })()
const written = (folder: string): Readonly<Record<string, string>> => Object.fromEntries([files.last, files.previous, files.best, files.metrics].map(name => [name, readFileSync(join(folder, name)).toString('latin1')]))

/** A training that is stopped when an event comes up, and its result. */
const stopped = async (folder: string, when: (event: TrainingEvent) => boolean, more: Partial<TrainOptions> = {}) => {
  const controller = new AbortController()
  return valueOf(await run(folder, { ...more, signal: controller.signal, onEvent: event => when(event) && controller.abort() }))
}

describe('a training', () => {
  let whole: Readonly<Record<string, string>>
  beforeAll(async () => {
    const folder = place()
    valueOf(await run(folder))
    whole = written(folder)
  })

  it('writes the same bytes when it is run again', async () => {
    const folder = place()
    valueOf(await run(folder))
    expect(written(folder)).toEqual(whole)
  })

  it.each([1, 4, 8, 11, 22])('stopped after step %i and resumed, ends with the same bytes', async step => {
    const folder = place()
    const first = await stopped(folder, event => event.kind === 'metric' && event.metric.kind === 'step' && event.metric.step === step)
    expect(first).toMatchObject({ reason: 'aborted', step })
    expect(valueOf(await run(folder, { resume: true })).reason).toBe('finished')
    expect(written(folder)).toEqual({ ...whole, [files.previous]: expect.anything() as string })
  })

  it('stopped in the middle of a validation, has it still to do when it is resumed', async () => {
    const folder = place()
    let seen = 0
    const first = await stopped(folder, event => event.kind === 'validating' && ++seen === 5)
    expect(first).toMatchObject({ reason: 'aborted', step: 4 })
    valueOf(await run(folder, { resume: true }))
    expect(written(folder)).toEqual(whole)
  })

  it('goes on from the checkpoint before where the last one is damaged', async () => {
    const folder = place()
    await stopped(folder, event => event.kind === 'metric' && event.metric.step === 14)
    const last = readFileSync(join(folder, files.last))
    last[last.length - 5]! ^= 4
    writeFileSync(join(folder, files.last), last)
    const warnings: string[] = []
    let from = 0
    valueOf(await run(folder, { resume: true, onEvent: event => (event.kind === 'warning' ? warnings.push(event.sentence) : event.kind === 'started' && (from = event.plan.from)) }))
    expect(warnings).toEqual([expect.stringMatching(/last\.safetensors: is damaged: its digest is not the one it says; going on from .*previous\.safetensors/)])
    expect(from).toBe(12)
    expect(written(folder)).toEqual(whole)
  })

  it('gathers several batches for an update the same after it has been resumed', async () => {
    const [one, two] = [place(), place()]
    const gathering = { accumulate: 2, batchSize: 4, steps: 13 }
    valueOf(await run(one, gathering))
    await stopped(two, event => event.kind === 'metric' && event.metric.step === 7, gathering)
    valueOf(await run(two, { ...gathering, resume: true }))
    expect(written(two)[files.last]).toEqual(written(one)[files.last])
    expect(written(two)[files.metrics]).toEqual(written(one)[files.metrics])
  })

  it('killed before its first checkpoint begins again, and says so', async () => {
    const folder = place()
    const warnings: string[] = []
    valueOf(await run(folder, { resume: true, onEvent: event => event.kind === 'warning' && warnings.push(event.sentence) }))
    expect(warnings).toEqual([`${folder}: holds no checkpoint yet; beginning at the beginning`])
    expect(written(folder)).toEqual(whole)
  })

  it('may go on for longer than was meant at first', async () => {
    const folder = place()
    valueOf(await run(folder, { steps: 5, schedule: { name: 'constant', config: { rate: 0.01 } } }))
    expect(valueOf(await run(folder, { steps: 9, resume: true, patience: 100, schedule: { name: 'constant', config: { rate: 0.01 } } })).step).toBe(9)
  })
})

describe('a training is not resumed', () => {
  const begun = async (): Promise<string> => {
    const folder = place()
    valueOf(await run(folder, { steps: 2, backend: reference }))
    return folder
  }

  it.each([
    ['with another batch size', { batchSize: 4 }, /batchSize: 8 before, 4 now/],
    ['with another rate', { schedule: { name: 'cosine', config: { rate: 0.1 } } }, /schedule\.config\.rate: 0\.01 before, 0\.1 now/],
    ['with another seed', { seed: 10 }, /seed: 9 before, 10 now/],
    ['with another optimiser', { optimiser: { name: 'sgd' } }, /optimiser\.name: "adamw" before, "sgd" now/],
  ] as const)('%s', async (_, more, sentence) => {
    const problem = problemOf(await run(await begun(), { ...more, resume: true }))
    expect(problem).toMatchObject({ code: 'configChanged', sentence: expect.stringMatching(sentence) as string })
  })

  it('on other data', async () => {
    const problem = problemOf(await run(await begun(), { resume: true }, model, { ...data, train: stripes(48, 1) }))
    expect(problem.sentence).toMatch(/data\.size: 44 before, 48 now/)
  })

  it.each([
    ['another model', smallVit({ depth: 1, dim: 12, dropPath: 0.3, dropout: 0.1 }), /model\.graph: \d+ before, \d+ now/],
    ['a model that drops more, of the same shapes', smallVit({ depth: 1, dim: 8, dropPath: 0.5, dropout: 0.1 }), /model\.graph: \d+ before, \d+ now/],
    ['other parameters frozen', valueOf(freeze(model as never, ['patch_embed']) as never) as AnyModel, /frozen: \[\] before, \["patch_embed\./],
  ] as const)('with %s', async (_, other, sentence) => {
    const problem = problemOf(await run(await begun(), { resume: true, backend: reference }, other))
    expect(problem).toMatchObject({ code: 'configChanged', sentence: expect.stringMatching(sentence) as string })
  })

  it('with other options of a recipe, which are named', async () => {
    const about = (numHeads: number) => ({ about: { recipe: 'vit', config: JSON.stringify({ numHeads }) } })
    const folder = place()
    valueOf(await run(folder, { steps: 2, backend: reference, ...about(4) }))
    expect(problemOf(await run(folder, { resume: true, backend: reference, ...about(8) })).sentence).toContain('model.config.numHeads: 4 before, 8 now')
  })

  it('while it is still running, but is after its process was killed', async () => {
    const folder = place()
    let second: Promise<unknown> | undefined
    valueOf(await run(folder, { steps: 2, backend: reference, onEvent: event => event.kind === 'started' && (second = run(folder, { resume: true })) }))
    expect(problemOf((await second) as never)).toMatchObject({ code: 'folderBusy', sentence: `${folder}: another training (process ${process.pid}) is writing there` })
    const { pid } = spawnSync(process.execPath, ['--version'])
    // One that is gone, one that had the number this process has now, one killed before it had written its own.
    for (const left of [pid, process.pid, '']) {
      writeFileSync(join(folder, '.vitrail.lock'), `${left}`)
      expect(problemOf(await run(folder)).code).toBe('folderTaken')
      expect(existsSync(join(folder, '.vitrail.lock'))).toBe(false)
    }
    writeFileSync(join(folder, '.vitrail.lock'), `${process.ppid}`)
    expect(problemOf(await run(folder)).code).toBe('folderBusy')
  })

  it('and its plan is made, without anything being written', async () => {
    const folder = place()
    const { plan, dispose } = valueOf(await prepareTraining(model, data, { ...settings, folder, resume: true })())
    expect([plan.from, existsSync(folder)]).toEqual([0, false])
    await dispose()
    // Nor does a training that cannot begin leave a folder.
    expect(problemOf(await run(folder, { batchSize: 0 })).code).toBe('badOption')
    expect(existsSync(folder)).toBe(false)
  })

  it('unasked', async () => {
    expect(problemOf(await run(await begun())).code).toBe('folderTaken')
  })
})
