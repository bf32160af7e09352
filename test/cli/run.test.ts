import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'vitrail-run-'))
const at = (name: string): string => join(folder, name)
const images = 'recipes/images'
const id = 'vit_fashion_mnist'

/** What PyTorch says of the demo images. */
const expected = JSON.parse(readFileSync('test/fixtures/demo/expected.json', 'utf8')) as Readonly<Record<string, readonly { readonly file: string; readonly top1: string; readonly probabilities: readonly number[] }[]>>

interface Seen {
  readonly file: string
  readonly error?: string
  readonly top: readonly { readonly label: string; readonly index: number; readonly probability: number }[]
  readonly probabilities: readonly number[]
  readonly ms: number
}
const see = async (...argv: readonly string[]): Promise<readonly Seen[]> => JSON.parse((await captured('run', ...argv, '--json')).out) as readonly Seen[]

const seesAsPyTorch = async (model: string, backend: string, count: number): Promise<void> => {
  const chosen = expected[model]!.slice(0, count)
  const seen = await see(model, '--backend', backend, '--image', ...chosen.map(({ file }) => join(images, file)))
  expect(seen.map(({ file }) => basename(file))).toEqual(chosen.map(({ file }) => file))
  seen.forEach(({ top, probabilities }, i) => {
    expect(top[0]!.label).toBe(chosen[i]!.top1)
    probabilities.forEach((probability, c) => expect(Math.abs(probability - chosen[i]!.probabilities[c]!)).toBeLessThan(1e-4))
  })
}

describe('vitrail run', () => {
  beforeAll(async () => {
    writeFileSync(at('text.png'), 'this is no image')
    writeFileSync(at('short.png'), readFileSync(join(images, 'bag-18.png')).subarray(0, 300))
    const noise = Uint8Array.from({ length: 90 * 60 * 3 }, (_, i) => (i * 7919) % 251)
    const photo = sharp(noise, { raw: { width: 90, height: 60, channels: 3 } })
    await photo.clone().jpeg().toFile(at('photo.jpg'))
    writeFileSync(at('short.jpg'), readFileSync(at('photo.jpg')).subarray(0, 1500))
  })

  it.each([[id, 'wasm', 20], [id, 'cpu', 20], [id, 'reference', 3], ['mae_ft_vit_fashion_mnist', 'wasm', 20]] as const)('gives PyTorch\'s probabilities by %s on %s', async (model, backend, count) => {
    await seesAsPyTorch(model, backend, count)
  })

  it('prints labels, probabilities and the time taken', async () => {
    const { code, out, err } = await captured('run', id, '--image', join(images, 'bag-18.png'), '--top', '2')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/bag-18\.png {2}[\d.]+ ms on wasm\nclass +probability\nbag +99\.83 %\nt-shirt +0\.08 %/)
  })

  it('takes a weight file that says which recipe it is for in place of an id', async () => {
    const [seen] = await see('recipes/weights/vit_fashion_mnist.safetensors', '--image', join(images, 'bag-18.png'))
    expect(seen!.top[0]!.label).toBe('bag')
  })

  it('names files that are no images, runs the others, and ends with 2', async () => {
    const files = [at('text.png'), at('short.png'), at('short.jpg'), at('nowhere.png'), folder, join(images, 'bag-18.png'), at('photo.jpg')]
    const { code, out, err } = await captured('run', id, '--json', '--image', ...files)
    expect(code).toBe(2)
    const lines = err.split('\n')
    expect(lines).toHaveLength(5)
    lines.forEach((line, i) => expect(line).toContain(`vitrail: ${files[i]!}: cannot be read as an image: `))
    const seen = JSON.parse(out) as readonly Seen[]
    expect(seen.map(({ error }) => error === undefined)).toEqual([false, false, false, false, false, true, true])
    expect(seen[5]!.top[0]!.label).toBe('bag')
  })

  it('takes labels from a file, one a line or as JSON, and counts them', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `class ${i}`)
    writeFileSync(at('labels.txt'), `${names.join('\r\n')}\r\n`)
    writeFileSync(at('labels.json'), JSON.stringify(names))
    writeFileSync(at('few.json'), '["a", "b"]')
    const bag = ['--image', join(images, 'bag-18.png')]
    for (const file of ['labels.txt', 'labels.json']) expect((await see(id, ...bag, '--labels', at(file)))[0]!.top[0]).toMatchObject({ label: 'class 8', index: 8 })
    expect(await captured('run', id, ...bag, '--labels', at('few.json'))).toMatchObject({ code: 2, err: `vitrail: ${at('few.json')}: holds 2 labels, but the model has 10 classes` })
  })

  it('draws where it looks: as bright as the image at the patch it sees most, darker elsewhere', async () => {
    const file = join(images, 'bag-18.png')
    const [seen] = JSON.parse((await captured('run', id, '--image', file, '--attention', at('seen'), '--json')).out) as readonly (Seen & { readonly attention: string })[]
    expect(seen!.attention).toBe(join(at('seen'), 'bag-18.attention.png'))
    const [drawn, own] = await Promise.all([seen!.attention, file].map(path => sharp(path).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true })))
    expect([drawn!.info.width, drawn!.info.height]).toEqual([28, 28])
    const shares = [...drawn!.data].flatMap((value, i) => (own!.data[i * own!.info.channels]! > 100 ? [value / own!.data[i * own!.info.channels]!] : []))
    expect(Math.max(...shares)).toBeLessThan(1.02)
    expect(Math.min(...shares)).toBeLessThan(0.6)
    expect(await captured('run', id, '--image', file, '--attention', at('text.png'))).toMatchObject({ code: 2, err: expect.stringContaining('cannot be written') as string })
  })

  it('draws images of the same name apart, and says where', async () => {
    const file = join(images, 'bag-18.png')
    const { code, out } = await captured('run', id, '--image', file, file, '--attention', at('twice'))
    expect([code, [...out.matchAll(/^where it looks: (.*)$/gm)].map(([, path]) => basename(path!))]).toEqual([0, ['bag-18.attention.png', 'bag-18-2.attention.png']])
    expect(readFileSync(at('twice/bag-18-2.attention.png'))).toEqual(readFileSync(at('twice/bag-18.attention.png')))
    // Where file names differ in more than case, they differ on every system.
    mkdirSync(at('other'))
    copyFileSync(file, at('other/Bag-18.png'))
    expect((await captured('run', id, '--image', file, at('other/Bag-18.png'), '--attention', at('twice'))).out).toContain('Bag-18-2.attention.png')
  })

  it('says what to do for a model without weights', async () => {
    const { code, err } = await captured('run', 'vit_tiny_patch16_224', '--image', join(images, 'bag-18.png'))
    expect(code).toBe(2)
    expect(err).toBe('vitrail: vit_tiny_patch16_224: comes without weights; pass --weights FILE, or make random ones with `vitrail init vit_tiny_patch16_224 --seed 1 -o FILE`')
  })

  it('reports all that does not fit in another model\'s weights, and whose they are', async () => {
    const { code, err } = await captured('run', 'deit_tiny_patch16_224', '--image', join(images, 'bag-18.png'), '--weights', 'recipes/weights/vit_fashion_mnist.safetensors')
    expect(code).toBe(2)
    expect(err).toMatch(/^vitrail: the checkpoint does not fit the model: 72 missing \(.*\); 80 of another shape \(.*\); these weights fit vit_fashion_mnist, vit_distilled_fashion_mnist$/)
  })

  it.each([
    ['weights that are no safetensors file', [id, '--weights', 'package.json'], /package\.json/],
    ['weights that are not there', [id, '--weights', 'nowhere'], /nowhere: .*no such file/],
    ['an unknown backend', [id, '--backend', 'wasn'], /there is no backend 'wasn'; did you mean 'wasm'\?/],
    ['an unknown model', ['vit_fashon_mnist'], /did you mean 'vit_fashion_mnist'\?/],
    ['no count of classes', [id, '--top', 'many'], /argument 'many' is invalid. It must be a whole number/],
  ] as const)('refuses %s', async (_, argv, sentence) => {
    const { code, out, err } = await captured('run', ...argv, '--image', join(images, 'bag-18.png'))
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(sentence)
  })

  it('needs an image', async () => {
    expect(await captured('run', id)).toMatchObject({ code: 2, err: "vitrail: required option '--image <files...>' not specified" })
  })

  it('reads an image by what it holds, not by its name', async () => {
    copyFileSync(at('photo.jpg'), at('photo.png'))
    const [jpg, png] = await see(id, '--image', at('photo.jpg'), at('photo.png'))
    expect(png!.probabilities).toEqual(jpg!.probabilities)
  })
})
