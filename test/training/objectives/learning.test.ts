import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clipRecipe } from '../../../recipes/clip.js'
import { deitRecipes } from '../../../recipes/deit.js'
import { dynamicVitRecipe } from '../../../recipes/dynamicvit.js'
import type { Recipe } from '../../../recipes/kit/recipe.js'
import { lvvitRecipe } from '../../../recipes/lvvit.js'
import { maeRecipe } from '../../../recipes/mae.js'
import { vitRecipe } from '../../../recipes/vit.js'
import { wasm } from '../../../src/backends/wasm/index.js'
import type { AnyModel } from '../../../src/layers/core/model.js'
import type { Dataset } from '../../../src/training/data/dataset.js'
import { files } from '../../../src/training/checkpoint/checkpoints.js'
import { fromArrays } from '../../../src/training/data/fromArrays.js'
import { train } from '../../../src/training/loop/train.js'
import type { TrainOptions } from '../../../src/training/loop/trainOptions.js'
import type { ValidationMetric } from '../../../src/training/metrics/metric.js'
import { classification, colourisation, contrastive, distillation, inpainting, maskedAutoencoder, maskedPatches, pruning, rotation, tokenLabelling } from '../../../src/training/objectives.js'
import type { Objective } from '../../../src/training/objectives/objective.js'
import { openTeacher } from '../../../src/training/objectives/openTeacher.js'
import { random } from '../../../src/training/random.js'
import { wordTokenizer } from '../../../src/training/text/wordTokenizer.js'
import { valueOf } from '../../support/either.js'

const side = 8
const colours = [[1, 0.3, 0.2], [0.2, 1, 0.3], [0.3, 0.2, 1], [1, 1, 0.3]] as const

/** Images in four colours, each brighter towards one corner, so that up and down are told apart. */
const glows = (count: number, seed: number): Dataset => {
  const pixels = new Float32Array(count * side * side * 3)
  const labels = Int32Array.from({ length: count }, (_, i) => i % 4)
  labels.forEach((label, i) => {
    const draw = random(seed, 'glows', 0, i)
    const [top, left] = [draw.uniform(), draw.uniform()]
    for (let p = 0; p < side * side; p++)
      for (let c = 0; c < 3; c++) pixels[(i * side * side + p) * 3 + c] = Math.min(1, Math.max(0, colours[label]![c]! * (0.2 + 0.05 * (1 + top) * Math.floor(p / side) + 0.02 * (1 + left) * (p % side)) + 0.03 * draw.normal()))
  })
  return valueOf(fromArrays({ images: pixels, labels, shape: [side, side, 3], classes: ['red', 'green', 'blue', 'yellow'], name: 'glows' }))
}

const sizes = { imageSize: side, patchSize: 4, dim: 16, depth: 2, numHeads: 2, mlpRatio: 2, numClasses: 4 } as const
const vit = vitRecipe(sizes)

const data = { train: glows(64, 1), validation: glows(32, 2), mean: [0.4], std: [0.25], workers: 0 }
const settings: TrainOptions = { backend: wasm, epochs: 10, batchSize: 8, seed: 3, clipNorm: 1, optimiser: { name: 'adamw' }, schedule: { name: 'cosine', config: { rate: 0.01 } } }

let learned: Promise<ReadonlyMap<string, Float32Array>> | undefined
/** A ViT that has learned the colours. */
const teach = async (tokens?: string) => {
  const weights = await (learned ??= train(vit.model as never, data, { ...settings, epochs: 6 })().then(result => valueOf(result).weights))
  return openTeacher(vit.model as never, { backend: wasm, weights, mean: [0.4], std: [0.25], ...(tokens === undefined ? {} : { tokens }) })()
}

interface Case {
  readonly recipe: Recipe
  readonly objective: Objective
  readonly pretext?: boolean
  /** Where the others' would leave it to chance. */
  readonly settings?: Partial<TrainOptions>
}

const cases: Readonly<Record<string, () => Promise<Case>>> = {
  'classification of mixed samples': async () => ({ recipe: vit as unknown as Recipe, objective: classification({ mix: { mixUp: 0.8, cutMix: 1 } }) }),
  'hard distillation by token': async () => ({ recipe: deitRecipes.deit_tiny_distilled_patch16_224.withConfig(sizes), objective: distillation({ teacher: valueOf(await teach()) }) }),
  'soft distillation by logits, of mixed samples': async () => ({ recipe: vit as unknown as Recipe, objective: distillation({ teacher: valueOf(await teach()), kind: 'soft', temperature: 3, mix: { mixUp: 0.2 } }) }),
  'token labelling': async () => ({ recipe: lvvitRecipe({ ...sizes, stemDim: 4 }) as unknown as Recipe, objective: tokenLabelling() }),
  pruning: async () => ({ recipe: dynamicVitRecipe({ ...sizes, pruneAt: [1], keep: [3] }) as unknown as Recipe, objective: pruning({ teacher: valueOf(await teach('norm')), shares: [0.75] }) }),
  'a masked autoencoder': async () => ({ recipe: maeRecipe({ imageSize: side, patchSize: 2, dim: 16, depth: 1, numHeads: 2, decoderDim: 16, decoderDepth: 1, decoderNumHeads: 2 }) as unknown as Recipe, objective: maskedAutoencoder() }),
  'masked patches': async () => ({ recipe: vitRecipe({ ...sizes, patchSize: 2 }) as unknown as Recipe, objective: maskedPatches(), pretext: true }),
  rotation: async () => ({ recipe: vit as unknown as Recipe, objective: rotation() }),
  colourisation: async () => ({ recipe: vit as unknown as Recipe, objective: colourisation(), pretext: true }),
  inpainting: async () => ({ recipe: vit as unknown as Recipe, objective: inpainting({ place: 'random' }), pretext: true }),
  'a contrast of images and texts': async () => ({ recipe: clipRecipe({ imageSize: side, patchSize: 4, embedDim: 8, dim: 16, depth: 1, numHeads: 2, textDim: 16, textDepth: 1, textNumHeads: 2, vocabularySize: 6, contextLength: 3 }) as unknown as Recipe, objective: contrastive({ tokenizer: wordTokenizer(['red', 'green', 'blue', 'yellow']), vocabulary: 'colours' }), settings: { epochs: 20, schedule: { name: 'cosine', config: { rate: 0.003 } } } }),
}

const run = async ({ recipe, objective, pretext = false, settings: own = {} }: Case, more: Partial<TrainOptions> = {}) => {
  const model = (pretext ? recipe.pretexts![objective.name]!({}) : recipe.model) as AnyModel
  const form = recipe.forms?.[objective.name]?.()
  const validations: ValidationMetric[] = []
  const result = await train(model as never, data, {
    ...settings,
    ...own,
    objective,
    ...(form === undefined ? {} : { form }),
    ...more,
    onEvent: event => {
      if (event.kind === 'metric' && event.metric.kind === 'validation') validations.push(event.metric)
      more.onEvent?.(event)
    },
  })()
  return { result: valueOf(result), validations }
}

describe('a small model learns by', () => {
  it.each(Object.keys(cases))('%s', async name => {
    const { validations } = await run(await cases[name]!())
    const [first, last] = [validations[0]!, validations.at(-1)!]
    expect(last.loss).toBeLessThan(0.9 * first.loss)
    // Chance is a quarter, of colours, of turns, and of texts (of which every fourth is the same).
    const share = last.accuracy ?? last.retrieval
    expect(Object.keys(last)).toContain(/autoencoder|patches|colourisation|inpainting/.test(name) ? 'loss' : /contrast/.test(name) ? 'retrieval' : 'accuracy')
    if (share !== undefined) expect(share).toBeGreaterThan(0.7)
  })
})

describe('stopped and resumed, a training ends with the same bytes as one that was not:', () => {
  const written = (folder: string) => [files.last, files.metrics].map(name => readFileSync(join(folder, name)).toString('latin1'))
  it.each(['soft distillation by logits, of mixed samples', 'a masked autoencoder', 'token labelling'])('%s', async name => {
    const folders = ['whole', 'parts'].map(part => join(mkdtempSync(join(tmpdir(), 'objective-')), part)) as [string, string]
    const brief = { epochs: 2, validateEvery: 5, average: 0.9 }
    await run(await cases[name]!(), { ...brief, folder: folders[0] })
    const controller = new AbortController()
    const { result } = await run(await cases[name]!(), { ...brief, folder: folders[1], signal: controller.signal, onEvent: event => event.kind === 'metric' && event.metric.step === 7 && controller.abort() })
    expect(result.reason).toBe('aborted')
    await run(await cases[name]!(), { ...brief, folder: folders[1], resume: true })
    expect(written(folders[1])).toEqual(written(folders[0]))
  })
})
