import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { root } from '../conventions/sources.js'
import { writeIdx } from '../training/idxFiles.js'
import { classes, side, stripes } from '../training/stripes.js'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'objectives-'))
const at = (name: string): string => join(folder, name)
const sizes = { imageSize: side, channels: 1, patchSize: 4, dim: 16, depth: 1, numHeads: 2 }
const config = {
  data: { kind: 'idx', images: 'train-images', labels: 'train-labels', classes, validation: { kind: 'idx', images: 'test-images', labels: 'test-labels' }, mean: [0.5], std: [0.3], workers: 0 },
  epochs: 2, batchSize: 8,
  optimiser: { name: 'adamw' },
  schedule: { name: 'cosine', config: { rate: 0.003 } },
}
const write = (name: string, more: object): string => {
  writeFileSync(at(name), JSON.stringify({ ...config, ...more }))
  return at(name)
}
const vit = { recipe: 'vit_tiny_patch16_224', config: { ...sizes, numClasses: 4 } }
const deit = { recipe: 'deit_tiny_distilled_patch16_224', config: { ...sizes, numClasses: 4 } }
const distilled = (teacher: object, more: object = {}) => ({ model: deit, objective: { name: 'distillation', config: { teacher, ...more } } })

beforeAll(async () => {
  await writeIdx(folder, 'train', stripes(40, 1))
  await writeIdx(folder, 'test', stripes(20, 2))
  expect((await captured('train', write('teacher.json', { model: vit }), '--out', at('teacher'))).code).toBe(0)
})

describe('vitrail train distils', () => {
  it('from a model with its weights, and what it leaves is a model like any other', async () => {
    const file = write('distil.json', distilled({ model: vit, weights: 'teacher/last.safetensors', backend: 'cpu' }))
    const { code, out, err } = await captured('train', file, '--out', at('distil'))
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/finished at step 10; best accuracy 0\.\d{4} at step (5|10)/)
    expect(readFileSync(at('distil/report.html'), 'utf8')).toContain('<h2>Confusion</h2>')
    expect((await captured('eval', at('distil/best.safetensors'), '--data', at('test-images'), '--labels', at('test-labels'))).code).toBe(0)
  })

  it('from what a teacher was recorded to say, with the same bytes as from the teacher itself', async () => {
    const file = write('live.json', distilled({ model: vit, weights: 'teacher/last.safetensors' }))
    const recorded = at('said.safetensors')
    const taught = await captured('teach', file, '--out', recorded, '--batch-size', '16')
    expect(taught).toMatchObject({ code: 0, err: '' })
    // Not after an hour of asking.
    expect(await captured('teach', file, '--out', at('nowhere/said.safetensors'))).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/said\.safetensors: cannot be written: no such file or directory$/) as string })
    expect(taught.out).toMatch(/said\.safetensors: what the teacher says of 40 samples; \d+\.\d\d % right/)
    await captured('train', file, '--out', at('live'))
    expect((await captured('train', file, '--out', at('heard'), '--set', `objective.config.teacher.recorded=${recorded}`)).code).toBe(0)
    expect(readFileSync(at('heard/metrics.jsonl'), 'utf8')).toBe(readFileSync(at('live/metrics.jsonl'), 'utf8'))
  })

  it('and does not go on with another teacher', async () => {
    const file = write('other.json', distilled({ model: vit, weights: 'teacher/last.safetensors' }))
    expect((await captured('train', file, '--out', at('other'))).code).toBe(0)
    const changed = await captured('train', file, '--out', at('other'), '--resume', '--epochs', '3', '--set', 'objective.config.teacher.weights=teacher/previous.safetensors')
    expect(changed).toMatchObject({ code: 2, err: expect.stringMatching(/objective\.config\.teacher: "\S+ \S+" before, "\S+ \S+" now/) as string })
  })

  it.each([
    ['no model', {}, "needs 'model' or 'recorded'"],
    ['a model without weights', { model: vit }, 'teacher: vit_tiny_patch16_224 comes without weights'],
    ['weights that are not there', { model: vit, weights: 'nowhere.safetensors' }, 'nowhere.safetensors'],
    ['images of another size', { model: 'vit_fashion_mnist' }, 'train: the teacher takes images of 28×28×1, the model of 12×12×1'],
    ['a record that is none', { recorded: 'teacher/last.safetensors' }, 'is no record of a teacher'],
    ['a backend that is none', { model: vit, weights: 'teacher/last.safetensors', backend: 'wasn' }, "did you mean 'wasm'?"],
  ] as const)('a teacher with %s is told', async (name, teacher, sentence) => {
    const { code, err } = await captured('train', write(`bad-${name.replaceAll(' ', '-')}.json`, distilled(teacher)), '--dry-run')
    expect([code, err]).toEqual([2, expect.stringContaining(sentence) as string])
  })
})

describe('vitrail train teaches a model without labels', () => {
  it('as a masked autoencoder, whose weights a classifier is then fine-tuned from', async () => {
    const pretrained = await captured('train', write('mae.json', { model: { recipe: 'mae_vit_base_patch16', config: { ...sizes, decoderDim: 8, decoderDepth: 1, decoderNumHeads: 2 } }, objective: { name: 'maskedAutoencoder' } }), '--out', at('mae'))
    expect(pretrained).toMatchObject({ code: 0, err: '' })
    expect(pretrained.out).toMatch(/epoch 2, step 10: validated with loss \d\.\d{4}(, the best so far)?\n/)
    expect(pretrained.out).toMatch(/best loss \d/)
    const page = readFileSync(at('mae/report.html'), 'utf8')
    expect([page.includes('<h2>Reconstructions</h2>'), page.includes('<h2>Confusion</h2>'), page.match(/<img /g)!.length]).toEqual([true, false, 36])
    const tuned = await captured('train', write('tuned.json', { model: { recipe: 'mae_ft_vit_base_patch16', config: { ...sizes, numClasses: 4 } }, weights: { file: 'mae/best.safetensors', partial: true } }), '--out', at('tuned'))
    expect(tuned).toMatchObject({ code: 0, err: expect.stringMatching(/mae\/best\.safetensors: 16 kept/) as string })
  })

  it('by what was behind patches, in a form of the recipe, from which the recipe is fine-tuned', async () => {
    const pretrained = await captured('train', write('masked.json', { model: vit, objective: { name: 'maskedPatches', config: { hiddenShare: 0.4 } } }), '--out', at('masked'))
    expect(pretrained).toMatchObject({ code: 0, err: expect.stringContaining('vit_tiny_patch16_224: is trained in the form of maskedPatches') as string })
    const tuned = await captured('train', write('from-masked.json', { model: vit, weights: { file: 'masked/last.safetensors', partial: true } }), '--out', at('from-masked'))
    expect(tuned).toMatchObject({ code: 0, err: expect.stringMatching(/18 kept/) as string })
    expect((await captured('eval', at('from-masked/best.safetensors'), '--data', at('test-images'), '--labels', at('test-labels'))).code).toBe(0)
  })

  it('by pairs of images and texts', async () => {
    const images = ['bag-18', 'bag-30', 'coat-6', 'coat-10', 'dress-13', 'dress-29', 'trouser-2', 'trouser-3']
    writeFileSync(at('pairs.jsonl'), images.map(name => JSON.stringify({ image: `${root}recipes/images/${name}.png`, text: `a ${name.split('-')[0]}` })).join('\n'))
    const pairs = { kind: 'captions', path: 'pairs.jsonl' }
    const clip = { recipe: 'clip_vit_b32', config: { imageSize: 28, channels: 1, patchSize: 7, embedDim: 8, dim: 16, depth: 1, numHeads: 2, textDim: 16, textDepth: 1, textNumHeads: 2, vocabularySize: 258, contextLength: 12 } }
    const { code, out, err } = await captured('train', write('clip.json', { model: clip, data: { ...pairs, validation: pairs, workers: 0 }, batchSize: 4, objective: { name: 'contrastive' } }), '--out', at('clip'))
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/validated with loss \d\.\d{4}, \d+\.\d\d % found/)
    expect(out).toMatch(/best retrieval \d\.\d{4}/)
  })
})

it.each([
  ['an objective there is not', { name: 'distilation' }, "did you mean 'distillation'?", {}],
  ['a model that is no autoencoder', { name: 'maskedAutoencoder' }, 'is no masked autoencoder', {}],
  ['something to watch that is not counted', { name: 'maskedPatches' }, "watch cannot be 'accuracy'", { watch: 'accuracy' }],
] as const)('%s is told before anything is written', async (name, objective, sentence, more) => {
  const { code, err } = await captured('train', write('wrong.json', { model: vit, objective, ...more }), '--out', at(`wrong-${name.length}`))
  expect([code, err]).toEqual([2, expect.stringContaining(sentence) as string])
  expect(existsSync(at(`wrong-${name.length}`))).toBe(false)
})
