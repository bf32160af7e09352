import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'augment-'))
const at = (name: string): string => join(folder, name)
const bag = 'recipes/images/bag-18.png'
const photo = at('photo.png')
const config = {
  model: { recipe: 'vit_fashion_mnist', config: { depth: 1 } }, data: { kind: 'folder', path: 'nowhere' },
  epochs: 1, batchSize: 2, seed: 4, optimiser: { name: 'sgd' }, schedule: { name: 'constant', config: { rate: 0.1 } },
}

beforeAll(async () => {
  await sharp(Uint8Array.from({ length: 40 * 60 * 3 }, (_, i) => (i * i) % 256), { raw: { width: 60, height: 40, channels: 3 } }).png().toFile(photo)
  writeFileSync(at('training.json'), JSON.stringify({ ...config, augment: ['padAndCrop', 'horizontalFlip', 'repeated'] }))
  writeFileSync(at('plain.json'), JSON.stringify(config))
})

/** The pictures in a sheet, as PNG in base64. */
const picturesIn = (sheet: string): readonly string[] => [...readFileSync(at(sheet), 'utf8').matchAll(/base64,([^"]+)"/g)].map(([, data]) => data!)

describe('vitrail augment', () => {
  it('shows each image and what is made of it, as SVG, HTML or PNG', async () => {
    for (const kind of ['svg', 'html']) {
      expect(await captured('augment', '--preview', at(`sheet.${kind}`), '--augment', 'randomResizedCrop,rand-m9', '--image', '32', '--count', '3', bag, photo)).toEqual({ code: 0, out: '', err: '' })
      expect(picturesIn(`sheet.${kind}`).length).toBe(8)
      const text = readFileSync(at(`sheet.${kind}`), 'utf8')
      for (const label of ['bag-18.png', 'photo.png', 'epoch 1', 'epoch 3', 'randomResizedCrop, rand-m9; seed 0']) expect(text).toContain(label)
    }
    expect(picturesIn('sheet.svg')).toEqual(picturesIn('sheet.html'))
    expect((await captured('augment', '--preview', at('sheet.png'), '--augment', 'trivialAugment', '--image', '32', bag)).code).toBe(0)
    const { width, height } = await sharp(at('sheet.png')).metadata()
    // Nine pictures of 32, each enlarged four times, side by side.
    expect([width, height! > 128]).toEqual([8 + 9 * 136, true])
  })

  it('takes sizes, steps and seed of a training, which need not have its data yet', async () => {
    expect(await captured('augment', '--preview', at('training.svg'), '--config', at('training.json'), '--count', '4', bag)).toEqual({ code: 0, out: '', err: '' })
    const text = readFileSync(at('training.svg'), 'utf8')
    for (const label of ['padAndCrop, horizontalFlip, repeated; seed 4', 'epoch 1, time 1', 'epoch 2, time 1']) expect(text).toContain(label)
    const [original] = picturesIn('training.svg')
    // 28×28, enlarged four times.
    expect(await sharp(Buffer.from(original!, 'base64')).metadata()).toMatchObject({ width: 112, height: 112 })
    await captured('augment', '--preview', at('again.svg'), '--config', at('training.json'), '--count', '4', bag)
    expect(picturesIn('again.svg')).toEqual(picturesIn('training.svg'))
    await captured('augment', '--preview', at('other.svg'), '--config', at('training.json'), '--count', '4', '--seed', '5', bag)
    expect(picturesIn('other.svg')).not.toEqual(picturesIn('training.svg'))
  })

  it.each([
    [['--preview', at('sheet.pdf'), '--augment', 'grayscale', bag], /^vitrail: augment: a sheet is a \.png, \.svg, \.html file, not /],
    [['--preview', at('a.svg'), bag], /^vitrail: augment: needs --config or --augment, but has neither; /],
    [['--preview', at('a.svg'), '--augment', 'grayscale', '--config', at('training.json'), bag], /^vitrail: augment: needs --config or --augment, not both/],
    [['--preview', at('a.svg'), '--augment', 'greyscale', bag], /^vitrail: augment: there is none called 'greyscale'; did you mean 'grayscale'\?$/],
    [['--preview', at('a.svg'), '--augment', '[{', bag], /^vitrail: --augment: /],
    [['--preview', at('a.svg'), '--augment', 'grayscale', at('none.png')], /^vitrail: .*none\.png: cannot be read as an image: /],
    [['--preview', at('a.svg'), '--config', at('plain.json'), bag], /plain\.json: has no augmentation; add "augment": /],
    [['--preview', at('nowhere/a.svg'), '--augment', 'grayscale', bag], /^vitrail: augment: .*nowhere\/a\.svg cannot be written: /],
    [['--preview', at('nowhere/a.png'), '--augment', 'grayscale', bag], /^vitrail: augment: .*nowhere\/a\.png cannot be written: there is no folder .*nowhere; make the folder first, or name another file$/],
    [['--preview', at('wide.png'), '--augment', 'grayscale', '--count', '300', '--image', '8', bag], /^vitrail: augment: .*wide\.png cannot be drawn: .*; make fewer or smaller pictures/],
    [['--preview', at('a.svg'), '--augment', '', bag], /^vitrail: augment: --augment names no step; /],
    [['--preview', at('a.svg'), '--augment', '[]', bag], /^vitrail: augment: --augment names no step; /],
    [['--preview', at('a.svg'), '--augment', '{ "name": "grayscale" }', bag], /^vitrail: augment: must be a list of steps, got \{/],
    [['--preview', at('a.svg'), '--augment', 'grayscale', '--image', '0', bag], /^vitrail: option '--image <size>' argument '0' is invalid\. Its sides must be at least 1 pixel/],
    [['--augment', 'grayscale', bag], /^vitrail: required option '--preview <file>' not specified/],
  ])('says what is wrong: %j', async (argv, sentence) => {
    const { code, out, err } = await captured('augment', ...argv)
    expect([code, out, err]).toEqual([2, '', expect.stringMatching(sentence)])
  })
})
