import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
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
import { defineLayer, input, inputs, integerInput, ops, patchEmbed, flattenTokens, encoderBlock, globalPool, linear, repeat, embedding } from 'vitrail'
`
const good = `
const heads: number = 2
export const good = pipe(input(8, 8, 3), patchEmbed({ patchSize: 4, dim: 8 }), flattenTokens(), repeat(2, encoderBlock({ numHeads: heads })), globalPool(), linear(4))
export default good
`
const mixing = `
const mixing = () => defineLayer('mixing', mixing, [], { forward: x => ops.subtract(x, ops.batchMean(x)) })
export const mixed = pipe(
  input(6, 8),
  linear(8),
  mixing(),
  linear(4),
)
`
/** Laws that need neither a compiler nor long. */
const quick = ['--laws', 'shapesAgree,batchIndependence,parametersMatter', '--replays', join(folder, 'replays')]
interface Told {
  readonly id: string
  readonly ok: boolean
  readonly failures: readonly { readonly law: string; readonly part: string; readonly line?: number; readonly file?: string; readonly replay: string; readonly smallest: { readonly source: string; readonly layers: number } }[]
}

describe('vitrail check', () => {
  it('checks every model a TypeScript file exports, wherever the file lies', async () => {
    const file = written('models.ts', `${imports}${good}
      import { recipes } from 'vitrail/recipes'
      import { vit } from 'vitrail/recipes/vit'
      import { reference } from 'vitrail/backends/reference'
      export const published = recipes.vit_fashion_mnist
      export const tokens = pipe(integerInput(7), embedding({ vocabularySize: 11, dim: 4 }))
      export const unused = [reference.name, vit, inputs]`)
    const { code, out, err } = await captured('check', file, '--json', '--replays', join(folder, 'replays'))
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject([
      { id: `${file}#good`, input: [8, 8, 3], ok: true, output: [4], params: 2172, backend: 'wasm', seed: 0, failures: [] },
      { id: `${file}#published`, input: [28, 28, 1], ok: true, output: [10], params: 205962, backend: 'wasm', scaled: expect.stringMatching(/^4×6×1 for 28×28×1, /) },
      { id: `${file}#tokens`, input: { integers: [7] }, ok: true, output: [7, 4], params: 44, backend: 'wasm' },
    ])
    const laws = (JSON.parse(out) as readonly { readonly laws: readonly { readonly law: string; readonly kept: number }[] }[])[0]!.laws
    expect(laws.length).toBeGreaterThan(25)
    expect(laws.find(({ law }) => law === 'typesAgree')!.kept).toBeGreaterThan(5)
  })

  it('reports a shape error with its path and the smallest recipe that has it, and fails', async () => {
    const file = written('bad.ts', `${imports}${good}
      const wrong: number = 5
      export const bad = pipe(input(8, 8, 3), patchEmbed({ patchSize: 4, dim: 8 }), flattenTokens(), repeat(2, encoderBlock({ numHeads: wrong })))`)
    const { code, out } = await captured('check', file, ...quick)
    expect(code).toBe(1)
    expect(out).toMatch(/attention: 8 channels do not split into 5 heads \(4×8\) \(at blocks\.0 › attention\); head counts that fit: 1, 2, 4, 8/)
    expect(out).toMatch(/bad\.ts:10\)/)
    expect(out).toMatch(/smallest recipe found that fails \(1 layer/)
    expect(out).toMatch(/bad\.ts#good +ok/)
    expect((await captured('check', `${file}#good`, ...quick)).code).toBe(0)
  })

  it('hears what the compiler says of a file, also where temporary files lie behind a link, as on macOS', async () => {
    const file = written('refused.ts', `${imports}${good}
      const text = (given: string): string => given
      text(5 as never as number)`)
    mkdirSync(join(folder, 'deep/er'), { recursive: true })
    symlinkSync(join(folder, 'deep/er'), join(folder, 'link'))
    vi.stubEnv('TMPDIR', join(folder, 'link'))
    const { code, out } = await captured('check', file, '--laws', 'typesAgree', '--replays', join(folder, 'replays')).finally(() => vi.unstubAllEnvs())
    expect([code, out]).toEqual([1, expect.stringMatching(/TypeScript \S+ says: Argument of type 'number' is not assignable to parameter of type 'string'/)])
  })

  it('names the law, the layer and its line, prints the smallest recipe, and replays it', async () => {
    const file = written('mixed.ts', `${imports}${mixing}`)
    const { code, out } = await captured('check', file, '--json', ...quick)
    const [{ failures }] = JSON.parse(out) as readonly [Told]
    expect(code).toBe(1)
    expect(failures).toMatchObject([{ law: 'batchIndependence', part: 'mixing', file, line: 9, smallest: { layers: 1, source: expect.stringMatching(/import \{ mixing \} from '.\/your-layers.js'[^]*pipe\(\n {2}input\([\d, ]+\),\n {2}mixing\(\),\n\)/) } }])
    const again = await captured('check', '--replay', failures[0]!.replay)
    expect([again.code, again.out]).toEqual([1, expect.stringMatching(/✗ running a batch is running each of its samples {2}\[batchIndependence\], mixing of .*mixed\.ts, seed 0 on wasm[^]*by definition, the output at/)])
    // Once mended, it holds.
    const file2 = written('mended.ts', `${imports}${mixing.replace('ops.subtract(x, ops.batchMean(x))', 'ops.relu(x)')}`)
    const mended = await captured('check', '--replay', written('mended.json', readFileSync(failures[0]!.replay, 'utf8').replaceAll(file, file2)))
    expect([mended.code, mended.out]).toEqual([0, expect.stringMatching(/It holds now/)])
  })

  it('tells GitHub on which line', async () => {
    const file = written('annotated.ts', `${imports}${mixing}`)
    const { out } = await captured('check', file, '--reporter', 'github', ...quick)
    expect(out).toMatch(/^::error file=.*annotated\.ts,line=9,title=vitrail batchIndependence%3A running a batch is running each of its samples::.*annotated\.ts, mixing: by definition[^\n]*%0A[^\n]*mixing\(\),%0A/m)
  })

  it('writes JUnit', async () => {
    const { out } = await captured('check', written('junit.ts', `${imports}${mixing}`), '--reporter', 'junit', ...quick)
    expect(out).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="vitrail check">\n {2}<testsuite name=".*junit\.ts" tests="3" failures="1" time="[\d.]+">/)
    expect(out).toMatch(/name="batchIndependence: running a batch is running each of its samples">\n {6}<failure message="mixing: by definition/)
  })

  it('runs on the backends, with the seed and as often as it is told', async () => {
    const file = written('backends.ts', `${imports}${good}`)
    const { out } = await captured('check', file, '--json', '--backend', 'reference,cpu', '--seed', '7', '--runs', '1', '--laws', 'backendsAgree')
    expect(JSON.parse(out)).toMatchObject([{ backend: 'reference,cpu', seed: 7, laws: [{ law: 'backendsAgree', broken: 0 }] }])
    expect((await captured('check', file, '--backend', 'wasn')).err).toMatch(/no backend 'wasn'; did you mean 'wasm'\?/)
  })

  it('scales large models down and says so', async () => {
    const { code, out } = await captured('check', 'vit_huge_patch14_224', ...quick)
    expect([code, out]).toEqual([0, expect.stringMatching(/vit_huge_patch14_224 {2}ok .*\n {2}scaled down: \d+×\d+×3 for 224×224×3, .*; not run at its real size, which would take too long/)])
  })

  it('lists the laws', async () => {
    const { code, out } = await captured('check', '--list-laws')
    expect(code).toBe(0)
    expect(out).toMatch(/^batchIndependence: running a batch is running each of its samples\n {4}Samples of a batch are mixed/m)
    expect(out).toMatch(/^asPublished: /m)
    expect((await captured('check', 'vit_fashion_mnist', '--laws', 'batchIndependance')).err).toMatch(/there is no law 'batchIndependance'; did you mean 'batchIndependence'\?/)
    expect(await captured('check')).toMatchObject({ code: 2, err: expect.stringMatching(/there is nothing to check; name a file/) })
  })

  it('refuses what is no replay', async () => {
    expect(await captured('check', '--replay', written('no.json', '{}'))).toMatchObject({ code: 2, err: expect.stringMatching(/no\.json: is no replay file/) })
  })

  it.each([
    ['that does not parse', 'export const a = 1\nexport const b =\n', /does not load: .*:3:/],
    ['that throws', 'throw new Error("no luck")', /does not load: no luck$/],
    ['that imports what is not there', 'import { a } from "./nowhere.js"\nexport const b = a', /does not load: Cannot find module '.*nowhere.js'$/],
    ['without a model', 'export const a = 1', /exports no model; it exports a, none of them a model$/],
  ])('names a file %s, and goes on', async (_, text, sentence) => {
    const { code, out, err } = await captured('check', written('faulty.ts', text), 'vit_fashion_mnist', ...quick)
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
