import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'vitrail-summary-'))
const written = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
const json = async (...argv: readonly string[]) => {
  const { code, out, err } = await captured('summary', ...argv, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as { id: string; input: unknown; output: unknown; params: number; macs: Readonly<Record<string, number>>; activationBytes: number; layers: readonly { path: string; layer: string; output: unknown; params: number; macs: number }[] }
}

describe('vitrail summary', () => {
  it('gives the published counts as JSON, with these keys in this order', async () => {
    const summary = await json('vit_tiny_patch16_224')
    expect(Object.keys(summary)).toEqual(['id', 'input', 'output', 'params', 'trained', 'macs', 'activationBytes', 'layers'])
    expect(summary).toMatchObject({ id: 'vit_tiny_patch16_224', input: [224, 224, 3], output: [1000], params: 5717416, macs: { linear: 1045949952, conv: 28901376, matmul: 178831872, total: 1253683200 } })
    expect(summary.layers.find(({ path }) => path === 'blocks.11.attn')).toEqual({ path: 'blocks.11.attn', layer: 'attention', output: [197, 192], params: 148224, macs: 43951488 })
  })

  it('splits parameters and multiply-adds over the layers without losing or repeating any', async () => {
    for (const id of ['vit_small_patch14_reg4_dinov2', 'deit_tiny_distilled_patch16_224']) {
      const { params, macs, layers } = await json(id)
      expect(layers.reduce((sum, layer) => sum + layer.params, 0)).toBe(params)
      expect(layers.reduce((sum, layer) => sum + layer.macs, 0)).toBe(macs['total'])
    }
  })

  it('prints a table with thousands separators and totals', async () => {
    const { out } = await captured('summary', 'vit_fashion_mnist')
    expect(out).toContain('vit_fashion_mnist  28×28×1 → 10')
    expect(out).toMatch(/blocks\.5\.attn +attention +50×64 +16,640 +1,139,200/)
    expect(out).toMatch(/in all +10 +205,962 +11,801,216/)
  })

  it('takes another image size and other options', async () => {
    expect(await json('vit_tiny_patch16_224', '--image', '384x224')).toMatchObject({ input: [384, 224, 3], output: [1000] })
    expect(await json('vit_tiny_patch16_224', '--config', '{"depth": 2, "numClasses": 10}')).toMatchObject({ output: [10] })
  })

  it('reads a description in our words and in those of the reference', async () => {
    const ours = written('ours.json', JSON.stringify({ recipe: 'vit', config: { imageSize: 32, patchSize: 8, dim: 48, depth: 3, numHeads: 4, numClasses: 10, mlpRatio: 2 } }))
    const theirs = written('theirs.json', JSON.stringify({ recipe: 'vit', config: { img_size: 32, patch_size: 8, embed_dim: 48, depth: 3, num_heads: 4, num_classes: 10, mlp_ratio: 2 } }))
    const both = await Promise.all([json(ours), json(theirs)])
    expect(both.map(({ params }) => params)).toEqual([67594, 67594])
    expect({ ...both[0], id: '' }).toEqual({ ...both[1], id: '' })
  })

  it('builds a distilled DeiT from a description, with both heads', async () => {
    const file = written('distilled.json', JSON.stringify({ recipe: 'deit', config: { imageSize: 32, patchSize: 8, dim: 48, depth: 3, numHeads: 4, distilled: true } }))
    expect((await json(file)).layers.map(({ path }) => path)).toContain('head_dist')
  })

  it('reads the description in a weight file', async () => {
    expect(await json('recipes/weights/vit_fashion_mnist.safetensors')).toMatchObject({ params: 205962, output: [10] })
  })

  it('says the same sentence for a wrong head count as the compiler, with its path', async () => {
    const sentence = 'vitrail: attention: 192 channels do not split into 5 heads (197×192) (at blocks.0 › attention); head counts that fit: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64'
    expect(await captured('summary', 'vit_tiny_patch16_224', '--config', '{"numHeads": 5}')).toEqual({ code: 2, out: '', err: sentence })
    const file = written('heads.json', JSON.stringify({ recipe: 'vit_tiny_patch16_224', config: { numHeads: 5 } }))
    expect((await captured('summary', file)).err).toBe(sentence)
  })

  it.each([
    ['an unknown option', '{"heads": 5}', "does not know 'heads'; it knows imageSize,"],
    ['an unknown option beside reference names', '{"img_size": 32, "heads": 5}', "vit: does not know 'heads'; it knows img_size,"],
    ['a value of the wrong kind', '{"depth": "deep"}', `'depth' must be a number, got "deep"`],
    ['an unknown word', '{"pool": "mean"}', "'pool' must be one of 'token', 'average'"],
    ['a depth of none', '{"depth": 0}', 'repeat: times must be a whole number from 1'],
    ['no object', '[]', '--config: must be a JSON object'],
    ['no JSON', '{', '--config: is not JSON'],
  ])('refuses %s', async (_, config, sentence) => {
    const { code, out, err } = await captured('summary', 'vit_tiny_patch16_224', '--config', config)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(sentence)
  })

  it.each([
    ['vit_tny_patch16_224', "there is no recipe 'vit_tny_patch16_224'; did you mean 'vit_tiny_patch16_224'?"],
    ['nowhere.ts', 'nowhere.ts: no such file or directory'],
    ['nowhere.json', 'nowhere.json: no such file or directory'],
    ['nowhere.safetensors', 'no such file or folder'],
    ['vit', "vit: needs 'imageSize', 'patchSize', 'dim', 'depth', 'numHeads'"],
  ])('refuses %s', async (target, sentence) => {
    const { code, err } = await captured('summary', target)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })

  it('names the nearest image sizes that fit', async () => {
    expect((await captured('summary', 'vit_tiny_patch16_224', '--image', '230')).err).toContain('the nearest sizes that fit: 224, 240')
  })
})
