import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { captured } from '../cli/captured.js'
import { root } from '../conventions/sources.js'

/** The blocks of the how-to that are files, by name. */
const blocks = new Map([...readFileSync(`${root}docs/how-to/property-test-your-recipe.md`, 'utf8').matchAll(/^```\w+ (\S+)\n([^]*?)^```/gm)].map(([, name, text]) => [name!, text!]))

// Inside the package, so that the example finds it by name as an installed one would.
mkdirSync(`${root}.scratch`, { recursive: true })
const folder = mkdtempSync(join(root, '.scratch', 'how-to-'))

beforeAll(() => {
  for (const [name, text] of blocks) writeFileSync(join(folder, name), text)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('has a recipe, a layer, a test and a workflow', () => {
  expect([...blocks.keys()]).toEqual(['recipe.ts', 'centred.ts', 'recipe.test.ts', 'recipes.yml'])
})

it('the recipe and the layer of one’s own obey every law', async () => {
  const { code, out, err } = await captured('check', join(folder, 'recipe.ts'), join(folder, 'centred.ts'), '--replays', join(folder, 'replays'))
  expect([code, err, code === 0 ? '' : out]).toEqual([0, '', ''])
  expect(out).toMatch(/✓ .*recipe\.ts {2}ok[^]*✓ .*centred\.ts {2}ok/)
})

it('the layer with its axis wrong is found as told', async () => {
  const wrong = join(folder, 'wrong.ts')
  writeFileSync(wrong, blocks.get('centred.ts')!.replace('[1], true', '[0], true'))
  const { code, out } = await captured('check', wrong, '--laws', 'staysInReach', '--replays', join(folder, 'replays'))
  expect(code).toBe(1)
  expect(out).toMatch(/✗ centred of .*wrong\.ts \(.*wrong\.ts:11\)\n {2}a layer acts only where it may {2}\[staysInReach\]/)
})

it('the vitest example passes', () => {
  writeFileSync(join(folder, 'vitest.config.ts'), `import base from '../../vitest.config.js'\nexport default { ...base, test: { include: ['${join(folder, 'recipe.test.ts')}'], testTimeout: 120000 } }\n`)
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(folder, 'vitest.config.ts'), '--root', root], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
  expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringMatching(/Tests {2}2 passed/)])
})

it('the workflow runs commands that there are', async () => {
  const commands = [...blocks.get('recipes.yml')!.matchAll(/- run: (.*)/g)].map(([, command]) => command!)
  expect(commands).toEqual(['npm ci', expect.stringMatching(/^npx vitrail check /)])
  const args = commands[1]!.split(' ').slice(2).map(word => (word === 'recipe.ts' ? join(folder, word) : word))
  const { code, out } = await captured(...args, '--replays', join(folder, 'replays'), '--laws', 'batchIndependence')
  expect([code, out]).toEqual([0, expect.stringMatching(/✓ .*recipe\.ts {2}ok/)])
  expect(out).not.toMatch(/^::error/m)
})
