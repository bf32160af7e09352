import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { valueOf } from '../support/either.js'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'vitrail-init-'))
const at = (name: string): string => join(folder, name)
const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

describe('vitrail init', () => {
  it('writes the same bytes for a seed, and others for another', async () => {
    const { code, out } = await captured('init', 'vit_fashion_mnist', '--seed', '1', '-o', at('one.safetensors'))
    expect([code, out]).toEqual([0, `${at('one.safetensors')}: 205,962 parameters in 80 tensors, seed 1`])
    await captured('init', 'vit_fashion_mnist', '--seed', '1', '-o', at('again.safetensors'))
    await captured('init', 'vit_fashion_mnist', '--seed', '2', '-o', at('two.safetensors'))
    expect(digest(at('again.safetensors'))).toBe(digest(at('one.safetensors')))
    expect(digest(at('two.safetensors'))).not.toBe(digest(at('one.safetensors')))
  })

  it('draws each parameter from its own initialiser', async () => {
    const file = valueOf(parseSafetensors(readFileSync(at('one.safetensors'))))
    expect(valueOf(await file.read('norm.weight')()).data).toEqual(new Float32Array(64).fill(1))
    expect(valueOf(await file.read('norm.bias')()).data).toEqual(new Float32Array(64))
    const { data } = valueOf(await file.read('pos_embed')())
    const deviation = Math.sqrt([...data].reduce((sum, v) => sum + v * v, 0) / data.length)
    expect(deviation).toBeGreaterThan(0.018)
    expect(deviation).toBeLessThan(0.022)
  })

  it('writes what it is for, so that it runs without naming the recipe', async () => {
    writeFileSync(at('small.json'), JSON.stringify({ recipe: 'vit_fashion_mnist', config: { depth: 2, numClasses: 3 } }))
    expect((await captured('init', at('small.json'), '--seed', '1', '-o', at('small.safetensors'))).code).toBe(0)
    const { code, out } = await captured('run', at('small.safetensors'), '--image', 'recipes/images/bag-18.png', '--json')
    expect(code).toBe(0)
    expect((JSON.parse(out) as readonly { readonly probabilities: readonly number[] }[])[0]!.probabilities).toHaveLength(3)
    expect(JSON.parse((await captured('summary', at('small.safetensors'), '--json')).out)).toMatchObject({ output: [3] })
  })

  it('replaces a file only when forced', async () => {
    writeFileSync(at('precious'), 'precious')
    expect(await captured('init', 'vit_fashion_mnist', '--seed', '1', '-o', at('precious'))).toEqual({ code: 2, out: '', err: `vitrail: ${at('precious')}: is already there; pass --force to replace it` })
    expect(readFileSync(at('precious'), 'utf8')).toBe('precious')
    expect((await captured('init', 'vit_fashion_mnist', '--seed', '1', '-o', at('precious'), '--force')).code).toBe(0)
    expect(digest(at('precious'))).toBe(digest(at('one.safetensors')))
  })

  it.each([
    ['without a seed', ['-o', at('x')], "required option '--seed <n>' not specified"],
    ['with a seed that is no whole number', ['-o', at('x'), '--seed', '1.5'], 'It must be a whole number from 0 on.'],
    ['without a file', ['--seed', '1'], "required option '-o, --output <file>' not specified"],
    ['into a folder that is not there', ['--seed', '1', '-o', at('nowhere/x')], 'cannot be written'],
  ])('refuses to write %s', async (_, argv, sentence) => {
    const { code, err } = await captured('init', 'vit_fashion_mnist', ...argv)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
    expect(readdirSync(folder).filter(name => name.endsWith('.tmp') || name === 'x')).toEqual([])
  })
})
