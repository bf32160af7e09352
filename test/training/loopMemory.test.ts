import { expect, it } from 'vitest'
import { vitRecipe } from '../../recipes/vit.js'
import { wasm } from '../../src/backends/wasm/index.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import { fromArrays } from '../../src/training/data/fromArrays.js'
import { train } from '../../src/training/loop/train.js'
import type { TrainingPlan } from '../../src/training/loop/trainingEvent.js'
import { valueOf } from '../support/either.js'

// In a file of its own: the device remembers the most that it ever held.
it('the memory that is stated before a training is what it then takes, within 15%', async () => {
  const device = valueOf(await wasm.open())
  const model = vitRecipe({ imageSize: 32, patchSize: 4, dim: 96, depth: 3, numHeads: 3, numClasses: 4 }).model as unknown as AnyModel
  const images = new Uint8Array(64 * 32 * 32 * 3).map((_, i) => (i * 7919) % 251)
  const data = valueOf(fromArrays({ images, labels: Int32Array.from({ length: 64 }, (_, i) => i % 4), shape: [32, 32, 3] }))
  let plan: TrainingPlan | undefined
  valueOf(await train(model as never, { train: data, workers: 0 }, {
    backend: wasm, steps: 3, batchSize: 32, clipNorm: 1,
    optimiser: { name: 'adamw' }, schedule: { name: 'constant', config: { rate: 0.001 } },
    onEvent: event => event.kind === 'started' && (plan = event.plan),
  })())
  const { peak } = device.held!().bytes!
  expect(plan!.bytes.peak).toBeGreaterThan(3e7)
  expect(Math.abs(plan!.bytes.peak - peak) / peak).toBeLessThan(0.15)
})
