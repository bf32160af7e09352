import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { vitRecipe } from '../../recipes/vit.js'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Backend } from '../../src/backends/device.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import { fromArrays } from '../../src/training/data/fromArrays.js'
import { prepareTraining } from '../../src/training/loop/prepareTraining.js'
import { runStep } from '../../src/training/loop/runStep.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { root } from '../conventions/sources.js'
import { valueOf } from '../support/either.js'

interface Twin {
  readonly config: Parameters<typeof vitRecipe>[0]
  readonly batchSize: number
  readonly smoothing: number
  readonly clipNorm: number
  readonly weightDecay: number
  readonly rate: number
  readonly warmup: number
  readonly steps: readonly { readonly rate: number; readonly loss: number; readonly norm: number }[]
}

const folder = `${root}test/fixtures/training`
const twin = JSON.parse(readFileSync(`${folder}/twin.json`, 'utf8')) as Twin

/** The losses and norms of our steps from PyTorch's weights on PyTorch's batches. */
const ours = async (backend: Backend, accumulate = 1): Promise<readonly { readonly loss: number; readonly norm: number; readonly rate: number }[]> => {
  const file = valueOf(await openSafetensors(`${folder}/twin.safetensors`)())
  const read = async (name: string) => valueOf(await file.read(name)()).data
  const [images, labels] = [(await read('@images')) as Float32Array, (await read('@labels')) as Int32Array]
  const weights = new Map<string, Float32Array>()
  for (const name of file.tensors.keys()) if (!name.startsWith('@')) weights.set(name, (await read(name)) as Float32Array)
  await file.close()
  const { batchSize, steps, smoothing, clipNorm, weightDecay, rate, warmup } = twin
  const model = vitRecipe(twin.config).model as unknown as AnyModel
  const each = images.length / labels.length
  const part = batchSize / accumulate
  const data = valueOf(fromArrays({ images, labels, shape: [twin.config.imageSize as number, twin.config.imageSize as number, 1] }))
  const training = valueOf(
    await prepareTraining(model, { train: data, workers: 0 }, {
      backend, weights, batchSize: part, accumulate, steps: steps.length, clipNorm,
      optimiser: { name: 'adamw', config: { weightDecay } },
      schedule: { name: 'cosine', config: { rate } },
      warmup: { steps: warmup },
      loss: { name: 'crossEntropy', config: { smoothing } },
    })(),
  )
  const outcomes = []
  for (let step = 0; step < steps.length; step++) {
    const batches = Array.from({ length: accumulate }, (_, i) => {
      const at = (step * batchSize + i * part) % labels.length
      return { step, images: images.slice(at * each, (at + part) * each), labels: labels.slice(at, at + part), size: part, names: [] }
    })
    outcomes.push(valueOf(await runStep(training, step, batches)))
  }
  await training.dispose()
  return outcomes
}

describe('from the same weights and batches, 50 steps of AdamW', () => {
  const runs = new Map<string, Awaited<ReturnType<typeof ours>>>()
  beforeAll(async () => {
    for (const backend of [reference, cpu, wasm]) runs.set(backend.name, await ours(backend))
  })

  it.each(['reference', 'cpu', 'wasm'])('give the losses of PyTorch on %s', name => {
    twin.steps.forEach(({ loss, norm, rate }, step) => {
      const own = runs.get(name)![step]!
      expect(own.rate).toBeCloseTo(rate, 12)
      expect(Math.abs(own.loss - loss), `loss of step ${step}`).toBeLessThan(1e-3)
      expect(Math.abs(own.norm - norm) / norm, `norm of step ${step}`).toBeLessThan(1e-2)
    })
    // It is a training and not a standstill that they agree on.
    expect(twin.steps.at(-1)!.loss).toBeLessThan(0.7 * twin.steps[0]!.loss)
  })

  it.each(['cpu', 'wasm'])('give on %s the losses of reference', name => {
    runs.get('reference')!.forEach(({ loss }, step) => expect(Math.abs(runs.get(name)![step]!.loss - loss), `step ${step}`).toBeLessThan(1e-4))
  })

  it('give on wasm, gathered from batches of half the size, those of the whole ones', async () => {
    const gathered = await ours(wasm, 2)
    runs.get('wasm')!.forEach(({ loss, norm }, step) => {
      expect(Math.abs(gathered[step]!.loss - loss), `step ${step}`).toBeLessThan(1e-4)
      expect(Math.abs(gathered[step]!.norm - norm) / norm).toBeLessThan(1e-3)
    })
  })
})
