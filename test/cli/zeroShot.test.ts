import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { clipReplica } from '../../recipes/clip.js'
import { vitRecipes } from '../../recipes/vit.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { checkpoint } from '../../src/cli/parts/checkpoint.js'
import { layouts } from '../../src/cli/parts/layouts.js'
import { byteTokenizer, hubTokenizer, openTowers, padTokens, wordTokenizer, type TwoTowers } from '../../src/index.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { problemOf, valueOf } from '../support/either.js'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'vitrail-zero-shot-'))
const at = (name: string): string => join(folder, name)
const recordings = 'test/fixtures/recordings/clip/'
const [bag, boot] = ['bag-18', 'ankle-boot-0'].map(name => `recipes/images/${name}.png`)

describe('the towers of a model, run apart', () => {
  it('give the similarities that were recorded, of two images and four texts', async () => {
    const file = valueOf(await openSafetensors(`${recordings}clip_rect_b.safetensors`)())
    const { model } = valueOf(clipReplica(JSON.parse(file.metadata['config']!) as Readonly<Record<string, unknown>>))
    const towers = valueOf(await openTowers(model as unknown as TwoTowers, { backend: cpu, weights: valueOf(checkpoint(file, model)) })())
    const [image, text, expected] = await Promise.all(['@in/image', '@in/text', '@out/logits_per_image'].map(async key => valueOf(await file.read(key)())))
    const images = valueOf(await towers.images(layouts.ours(image!.data, image!.shape, [24, 24, 3]) as Float32Array)())
    const texts = valueOf(await towers.texts(text!.data as Int32Array)())
    towers.dispose()
    await file.close()
    const similarities = towers.similarities(images, texts)
    expect(similarities.map(row => row.length)).toEqual([4, 4])
    similarities.flat().forEach((value, i) => expect(Math.abs(value - expected!.data[i]!)).toBeLessThan(2e-5))
  })

  it('must be two', async () => {
    const opened = await openTowers(vitRecipes.vit_fashion_mnist.model as unknown as TwoTowers, { backend: cpu, weights: new Map() })()
    expect(problemOf(opened)).toMatchObject({ code: 'notTwoTowers' })
  })
})

describe('vitrail zero-shot', () => {
  const weights = `${recordings}clip_a.safetensors`
  const ask = (...argv: readonly string[]) => captured('zero-shot', at('clip.json'), '--weights', weights, '--backend', 'cpu', ...argv)

  beforeAll(() => {
    const config = { imageSize: 32, patchSize: 8, embedDim: 24, dim: 32, depth: 2, numHeads: 4, textDim: 28, textDepth: 2, textNumHeads: 2, vocabularySize: 64, contextLength: 16 }
    writeFileSync(at('clip.json'), JSON.stringify({ recipe: 'clip_vit_b32', config }))
    writeFileSync(at('words.txt'), ['a', 'photo', 'of', 'bag', 'boot', ...Array.from({ length: 57 }, (_, i) => `word${i}`)].join('\n'))
  })

  it('gives each text a probability, the best first, for every image', async () => {
    const { code, out, err } = await ask('--image', bag!, boot!, '--labels', 'a bag,a boot,word3', '--vocab', at('words.txt'), '--json')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const seen = JSON.parse(out) as readonly { readonly file: string; readonly labels: readonly { readonly label: string; readonly probability: number }[] }[]
    expect(seen.map(({ file }) => file)).toEqual([bag, boot])
    for (const { labels } of seen) {
      expect(labels.map(({ label }) => label).sort()).toEqual(['a bag', 'a boot', 'word3'])
      expect(labels.reduce((total, { probability }) => total + probability, 0)).toBeCloseTo(1, 9)
      expect(labels.map(({ probability }) => probability)).toEqual(labels.map(({ probability }) => probability).sort((a, b) => b - a))
    }
    expect(seen[0]!.labels).not.toEqual(seen[1]!.labels)
  })

  it('puts labels into a template', async () => {
    const args = ['--image', bag!, '--vocab', at('words.txt'), '--json'] as const
    const said = JSON.parse((await ask(...args, '--labels', 'a photo of bag,a photo of boot')).out) as readonly { readonly labels: readonly { readonly probability: number }[] }[]
    const put = JSON.parse((await ask(...args, '--labels', 'bag,boot', '--template', 'a photo of {}')).out) as typeof said
    expect(put[0]!.labels.map(({ probability }) => probability)).toEqual(said[0]!.labels.map(({ probability }) => probability))
  })

  it('shows a table', async () => {
    const { code, out } = await ask('--image', bag!, '--labels', 'bag,boot', '--vocab', at('words.txt'))
    expect(code).toBe(0)
    expect(out).toMatch(/bag-18\.png[\s\S]*label[\s\S]*%/)
  })

  it.each([
    [['--labels', 'a hat', '--vocab', 'WORDS'], "'a hat': the vocabulary of 62 words has no 'hat'"],
    [['--labels', Array(16).fill('a').join(' '), '--vocab', 'WORDS'], 'text 1 has 17 tokens, and the model reads 16'],
    [['--labels', 'bag', '--vocab', 'WORDS', '--template', 'a photo'], "--template: 'a photo' has no {} where a label would go"],
    [['--labels', 'bag', '--vocab', 'missing.txt'], 'missing.txt'],
  ] as const)('says what is wrong: %j', async (args, sentence) => {
    const { code, err } = await ask('--image', bag!, ...args.map(arg => (arg === 'WORDS' ? at('words.txt') : arg)))
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })

  it('refuses a model of one tower', async () => {
    const { code, err } = await captured('zero-shot', 'vit_fashion_mnist', '--image', bag!, '--labels', 'bag', '--vocab', 'bytes', '--weights', weights)
    expect({ code, err }).toEqual({ code: 2, err: 'vitrail: vit_fashion_mnist: takes 28×28×1, not an image and a text; clip_vit_b32 and its kin do' })
  })
})

describe('texts', () => {
  it('of bytes are of any language', () => {
    expect(valueOf(byteTokenizer.encode('é'))).toEqual([196, 170, 257])
    expect(valueOf(byteTokenizer.encode(''))).toEqual([257])
  })

  it('of words ignore case and signs', () => {
    expect(valueOf(wordTokenizer(['The', 'cat']).encode('"the" CAT!'))).toEqual([1, 2, 3])
    expect(problemOf(wordTokenizer(['the', 'cat']).encode('the cats'))).toMatchObject({ code: 'unknownWord', remedy: "did you mean 'cat'?" })
  })

  it('are filled up to one length', () => {
    expect([...valueOf(padTokens([[5], [1, 2, 3]], 3))]).toEqual([5, 0, 0, 1, 2, 3])
    expect(problemOf(padTokens([[1, 2, 3, 4]], 3)).code).toBe('textTooLong')
    expect(problemOf(padTokens([], 3)).code).toBe('noTexts')
  })

  it('of byte pairs need a library, and a file that it understands', async () => {
    expect(problemOf(await hubTokenizer({}, () => Promise.reject(new Error('none')))())).toMatchObject({ code: 'tokenizerMissing', remedy: 'npm install @huggingface/tokenizers' })
    class Broken {
      constructor() {
        throw new Error('no model')
      }
      readonly encode = () => ({ ids: [] })
    }
    expect(problemOf(await hubTokenizer({}, () => Promise.resolve({ Tokenizer: Broken }))())).toMatchObject({ code: 'notATokenizer' })
    class Known {
      readonly encode = (text: string) => ({ ids: [7, text.length, 9] })
    }
    expect(valueOf(valueOf(await hubTokenizer({}, () => Promise.resolve({ Tokenizer: Known }))()).encode('cat'))).toEqual([7, 3, 9])
  })
})
