import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { captured } from './captured.js'

// A folder in which nothing is installed.
const folder = mkdtempSync(join(tmpdir(), 'vitrail-check-'))
const written = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const imports = `
import { pipe } from 'fp-ts/lib/function.js'
import { input, inputs, integerInput, patchEmbed, flattenTokens, encoderBlock, globalPool, linear, repeat, embedding } from 'vitrail'
`
const good = `
const heads: number = 2
export const good = pipe(input(8, 8, 3), patchEmbed({ patchSize: 4, dim: 8 }), flattenTokens(), repeat(2, encoderBlock({ numHeads: heads })), globalPool(), linear(4))
export default good
`

describe('vitrail check', () => {
  it('runs every model a TypeScript file exports, wherever the file lies', async () => {
    const file = written('models.ts', `${imports}${good}
      import { recipes } from 'vitrail/recipes'
      import { vit } from 'vitrail/recipes/vit'
      import { reference } from 'vitrail/backends/reference'
      export const published = recipes.vit_fashion_mnist
      export const tokens = pipe(integerInput(7), embedding({ vocabularySize: 11, dim: 4 }))
      export const unused = [reference.name, vit, inputs]`)
    const { code, out, err } = await captured('check', file, '--json')
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toEqual([
      { id: `${file}#good`, input: [8, 8, 3], ok: true, output: [4], params: 2172, backend: 'reference' },
      { id: `${file}#published`, input: [28, 28, 1], ok: true, output: [10], params: 205962, backend: 'reference' },
      { id: `${file}#tokens`, input: { integers: [7] }, ok: true, output: [7, 4], params: 44, backend: 'reference' },
    ])
  })

  it('reports a shape error with its path, and fails', async () => {
    const file = written('bad.ts', `${imports}${good}
      const wrong: number = 5
      export const bad = pipe(input(8, 8, 3), patchEmbed({ patchSize: 4, dim: 8 }), flattenTokens(), repeat(2, encoderBlock({ numHeads: wrong })))`)
    const { code, out } = await captured('check', file)
    expect(code).toBe(1)
    expect(out).toMatch(/bad\.ts#bad .*attention: 8 channels do not split into 5 heads \(4×8\) \(at blocks\.0 › attention\); head counts that fit: 1, 2, 4, 8/)
    expect(out).toMatch(/bad\.ts#good .* ok/)
    expect((await captured('check', `${file}#good`)).code).toBe(0)
  })

  it('runs models that are not small on wasm', async () => {
    expect(JSON.parse((await captured('check', 'vit_tiny_patch16_224', '--json')).out)).toMatchObject([{ ok: true, backend: 'wasm' }])
  })

  it.each([
    ['that does not parse', 'export const a = 1\nexport const b =\n', /does not load: .*:3:/],
    ['that throws', 'throw new Error("no luck")', /does not load: no luck$/],
    ['that imports what is not there', 'import { a } from "./nowhere.js"\nexport const b = a', /does not load: Cannot find module '.*nowhere.js'$/],
    ['without a model', 'export const a = 1', /exports no model; it exports a, none of them a model$/],
  ])('names a file %s, and goes on', async (_, text, sentence) => {
    const { code, out, err } = await captured('check', written('faulty.ts', text), 'vit_fashion_mnist')
    expect(code).toBe(2)
    expect(err).toMatch(sentence)
    expect(out).toContain('vit_fashion_mnist')
  })

  it('asks which of several models is meant where only one can be', async () => {
    const file = written('two.ts', `${imports}${good}\nexport const other = pipe(input(8), linear(4))`)
    expect((await captured('summary', file)).err).toMatch(/exports 2 models; choose one: .*two\.ts#good, .*two\.ts#other$/)
    expect((await captured('summary', `${file}#third`)).err).toMatch(/exports no model called 'third'; it exports good, other$/)
    expect((await captured('summary', `${file}#other`)).code).toBe(0)
  })
})
