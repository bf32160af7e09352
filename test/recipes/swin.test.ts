import { describe, expect, it } from 'vitest'
import { swinRecipes, swinReplica } from '../../recipes/swin.js'
import { openRecording } from '../../src/cli/parts/recording.js'
import { cost, loadWeights, parametersOf, shapeOf, trace, type AnyModel, type Model, type Tensor } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const graphOf = (model: unknown) => valueOf(trace(model as AnyModel))

describe('the published sizes', () => {
  // models.json of the reference: parameters and multiply-adds, the same under both names.
  const counts: Readonly<Record<string, readonly [number, number, number, number]>> = {
    tiny_patch4_window7_224: [28288354, 4335974400, 14450688, 140141568],
    small_patch4_window7_224: [49606258, 8497772544, 14450688, 228652032],
    base_patch4_window7_224: [87768224, 15106809856, 19267584, 304869376],
    large_patch4_window7_224: [196532476, 33989554176, 28901376, 457304064],
    base_patch4_window12_384: [87903584, 44393537536, 56623104, 2632974336],
    large_patch4_window12_384: [196735516, 99884691456, 84934656, 3949461504],
  }

  it.each(Object.entries(swinRecipes).filter(([id]) => id !== 'swin_fashion_mnist'))('%s has the parameters and multiply-adds of its reference', (id, { model }) => {
    const [params, linear, conv, matmul] = counts[id.replace(/^(ms_)?swin_/, '')]!
    const { params: ours, macs } = cost(graphOf(model))
    expect([ours, macs]).toEqual([params, { linear, conv, matmul, total: linear + conv + matmul }])
  })

  it('have a row for every node, and each node in one', () => {
    const graph = graphOf(swinRecipes.swin_tiny_patch4_window7_224.model)
    const rows = graph.layers.flatMap(row => row.nodes)
    expect(new Set(rows).size).toBe(rows.length)
    expect(new Set(rows)).toEqual(new Set(graph.nodes))
  })

  it('differ in names only: where a stage merges, and the head', () => {
    const [timm, microsoft] = [swinRecipes.swin_tiny_patch4_window7_224, swinRecipes.ms_swin_tiny_patch4_window7_224].map(({ model }) => parametersOf(graphOf(model)).map(p => p.attributes.name))
    const renamed = timm!.map(name => name.replace(/^layers\.(\d)\.downsample/, (_, i) => `layers.${Number(i) - 1}.downsample`).replace('head.fc', 'head'))
    expect([...microsoft!].sort()).toEqual(renamed.sort())
  })

  it('follow the image, where windows fit, and say which sizes fit where they do not', () => {
    const at = (imageSize: unknown, changes = {}) => shapeOf(swinRecipes.swin_tiny_patch4_window7_224.withConfig({ imageSize, ...changes }).model as unknown as Model<unknown, unknown>)
    expect(at([224, 448])).toEqual({ _tag: 'Right', right: [1000] })
    expect(problemOf(at(256))).toMatchObject({ code: 'stageDoesNotDivide', sentence: 'stage 1 is 64×64 and does not divide into windows of 7', path: 'layers.0 › stage', remedy: 'the nearest image sizes that fit: 224, 448' })
    for (const size of [224, 448]) expect(at(size)._tag).toBe('Right')
    expect(at(256, { padding: true })._tag).toBe('Right')
    const found = problemOf(at(112, { windowSize: 4 }))
    expect(found.sentence).toBe('stage 2 is 14×14 and does not divide into windows of 4')
    expect(found.remedy).toBe('the nearest image sizes that fit: 64, 128')
    for (const size of [64, 128]) expect(at(size, { windowSize: 4 })._tag).toBe('Right')
  })
})

it('Microsoft\'s checkpoints hold masks and index tables, which are ours to compute', async () => {
  const recording = valueOf(await openRecording(`test/fixtures/recordings/swin/swin_ms_a.safetensors`)())
  expect([...recording.source.tensors.keys()]).toEqual(expect.arrayContaining(['layers.0.blocks.1.attn_mask', 'layers.0.blocks.0.attn.relative_position_index']))
  const { model } = recording.replica
  expect(loadWeights(recording.source, model as unknown as Model<unknown, unknown>, { ignore: name => name.startsWith('@') })._tag).toBe('Right')
  // They are the very ones.
  const mask = graphOf(model).features.get('layers.0.blocks.1.attn_mask') as Tensor<'constant'>
  expect(mask.attributes.data).toEqual(valueOf(await recording.source.read('layers.0.blocks.1.attn_mask')()).data)
  await recording.close()
})

describe('a reference configuration', () => {
  const small = { img_size: 32, patch_size: 4, embed_dim: 8, depths: [2, 2], num_heads: [1, 2], window_size: 4 } as const

  it.each([
    [{ ...small, embed_dims: 8 }, "swin: does not know 'embed_dims'"],
    [{ ...small, num_heads: [1] }, "swin: 'num_heads' has 1 entries, but 'depths' has 2"],
    [{ ...small, global_pool: 'max' }, "swin: 'global_pool' must be one of 'avg', '', got \"max\""],
    [{ ...small, ape: true, window_size: [4, 4] }, "swin: 'window_size' must be a number, got [4,4]"],
    [{ ...small, window_size: [4, 4, 4] }, "swin: 'window_size' has 3 entries, but 'depths' has 2"],
    [{ img_size: 32, embed_dim: 8 }, "swin: needs 'depths', 'num_heads', 'window_size'"],
  ])('%o is refused', (config, sentence) => {
    expect(problemOf(swinReplica(config)).sentence).toBe(sentence)
  })

  it('of timm pads, of Microsoft does not', () => {
    const of = (config: object) => trace(valueOf(swinReplica({ ...small, img_size: 40, ...config })).model)
    expect(of({})._tag).toBe('Right')
    expect(problemOf(of({ ape: false })).code).toBe('stageDoesNotDivide')
  })
})
