import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import * as vitrail from '../../src/index.js'
import { captured } from '../cli/captured.js'
import { valueOf } from '../support/either.js'
import { compile, scratch, showDiagnostic } from '../types/compile.js'

const readme = readFileSync('README.md', 'utf8')
/** The recipe at the top of the README, as it stands there. */
const text = /export const vitTiny = (pipe\([\s\S]*?\n\))/.exec(readme)![1]!

it('the README’s recipe is ViT-Tiny, and takes its published checkpoint by name', () => {
  const names = Object.keys(vitrail)
  const model = new Function('pipe', ...names, `return ${text}`)(pipe, ...names.map(name => vitrail[name as keyof typeof vitrail])) as vitrail.AnyModel
  const weights = (m: vitrail.AnyModel): readonly string[] => vitrail.parametersOf(valueOf(vitrail.trace(m))).map(p => `${p.attributes.name} ${p.shape.join('×')}`)
  expect(weights(model)).toEqual(weights(recipes.vit_tiny_patch16_224.model as unknown as vitrail.AnyModel))
})

/** What stands in the README as TypeScript, the lines that import put together. */
const [first, second] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!)
const snippets = `${first!}${second!.replace("import { pipe } from 'fp-ts/lib/function.js'\n", '')}`

it('the README’s way to run it is right TypeScript, gives the scores, and leaves no file open', async () => {
  const uses = `
const seen = await classify(new Float32Array(224 * 224 * 3))()
// A file that was left open is closed when the collector finds it, with a warning.
for (let i = 0; i < 5; i++) await new Promise(resolve => setTimeout(resolve, 20)).then(global.gc)
console.log(seen._tag === 'Right' ? seen.right.length : seen.left.sentence)
process.exit()
`
  const [written, run] = scratch('readme', { 'snippets.ts': snippets, 'run.mjs': snippets.replace(': Float32Array)', ')') + uses }) as [string, string]
  expect((await compile('7', [written])).diagnostics.map(showDiagnostic)).toEqual([])
  const folder = dirname(run)
  const weights = join(folder, 'vit_tiny_patch16_224.safetensors')
  rmSync(weights, { force: true })
  expect((await captured('init', 'vit_tiny_patch16_224', '--seed', '1', '-o', weights)).code).toBe(0)
  const said = await new Promise(resolve => execFile(process.execPath, ['--expose-gc', run], { cwd: folder }, (_, out, err) => resolve([out, err])))
  rmSync(weights)
  expect(said).toEqual(['1000\n', ''])
})
