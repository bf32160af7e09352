import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { sections } from './recipesPage.mjs'

const doc = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8')

it('docs/recipes.md and its pictures are what `npm run docs` writes', async () => {
  const page = doc('recipes.md')
  for (const { family, text, svg } of await sections()) {
    expect(page.includes(text), `the section on ${family} is stale: npm run docs`).toBe(true)
    expect(doc(`pictures/${family}.svg`), `the picture of ${family} is stale: npm run docs`).toBe(svg)
  }
})
