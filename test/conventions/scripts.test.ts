import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const { scripts, engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: Readonly<Record<string, string>>; readonly engines: { readonly node: string } }

it('every script begins with what npm finds on Windows too, and sets no variable as a shell does', () => {
  const begun = Object.values(scripts).flatMap(script => script.split(' && ').map(command => command.split(' ')[0]!))
  expect([...new Set(begun)].sort()).toEqual(['node', 'npm', 'oxlint', 'tsc', 'vitest'])
  expect(Object.values(scripts).filter(script => /['`$;|<>]/.test(script))).toEqual([])
})

it('the README promises no Node that the tools of the tests do without', () => {
  const [least, promised] = [engines.node, /Node (\d+\.\d+) or newer/.exec(readFileSync('README.md', 'utf8'))![1]!]
  const needed = ['vite', 'oxlint'].map(name => (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { readonly engines: { readonly node: string } }).engines.node)
  expect([least, needed.every(range => range.startsWith(`^${promised}.`))]).toEqual(['>=20.10', true])
})
