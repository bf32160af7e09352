import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { root } from './compile.js'

it('the package builds: its published types are those of the sources', () => {
  expect(readFileSync(`${root}dist/.build.log`, 'utf8')).toBe('')
})
