import { readFileSync } from 'node:fs'
import { pipe } from 'fp-ts/lib/function.js'
import { expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import * as vitrail from '../../src/index.js'
import { valueOf } from '../support/either.js'

/** The recipe at the top of the README, as it stands there. */
const text = /export const vitTiny = (pipe\([\s\S]*?\n\))/.exec(readFileSync('README.md', 'utf8'))![1]!

it('the README’s recipe is ViT-Tiny, and takes its published checkpoint by name', () => {
  const names = Object.keys(vitrail)
  const model = new Function('pipe', ...names, `return ${text}`)(pipe, ...names.map(name => vitrail[name as keyof typeof vitrail])) as vitrail.AnyModel
  const weights = (m: vitrail.AnyModel): readonly string[] => vitrail.parametersOf(valueOf(vitrail.trace(m))).map(p => `${p.attributes.name} ${p.shape.join('×')}`)
  expect(weights(model)).toEqual(weights(recipes.vit_tiny_patch16_224.model as unknown as vitrail.AnyModel))
})
