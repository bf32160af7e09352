import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { recipes, type Recipe } from '../../recipes/index.js'
import { wasmWith } from '../../src/backends/wasm/index.js'
import { classifier } from '../../src/cli/parts/classifier.js'
import { subjects } from '../../src/cli/parts/subjects.js'
import { trace } from '../../src/graph/trace.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { root } from '../conventions/sources.js'
import { valueOf } from '../support/either.js'

const folder = `${root}recipes/weights/`
const ids = readdirSync(folder).filter(file => file.endsWith('.safetensors')).map(file => file.replace('.safetensors', ''))
const recipeOf = (id: string): Recipe => (recipes as unknown as Readonly<Record<string, Recipe>>)[id]!
const opened = async (id: string) => valueOf(await openSafetensors(`${folder}${id}.safetensors`)())
const images = readdirSync(`${root}recipes/images`).filter(file => file.endsWith('.png'))

describe('the embedded weights', () => {
  it.each(ids)('%s are of the recipe of that name, complete, below 2 MB, with a card and the settings that made them', async id => {
    const recipe = recipeOf(id)
    const file = await opened(id)
    const { parameters } = valueOf(trace(recipe.model))
    expect(Object.fromEntries([...file.tensors].map(([name, { shape }]) => [name, shape]))).toEqual(Object.fromEntries(parameters.map(({ attributes: { name }, shape }) => [name, shape])))
    expect(JSON.parse(file.metadata['config']!)).toEqual(recipe.config)
    expect(file.metadata['trained_by']).toBe(`vitrail train recipes/training/${id}.json --seed 1`)
    expect(JSON.parse(readFileSync(`${root}recipes/training/${id}.json`, 'utf8'))).toMatchObject({ model: id })
    expect(statSync(`${folder}${id}.safetensors`).size).toBeLessThan(2e6)
    expect(existsSync(`${folder}${id}.md`)).toBe(true)
    if (file.metadata['accuracy'] !== undefined) expect(readFileSync(`${folder}${id}.md`, 'utf8')).toContain(`**${(100 * Number(file.metadata['accuracy'])).toFixed(2)} %**`)
    await file.close()
  })

  it.each(ids.filter(id => !id.startsWith('mae_vit')))('%s tell most of the bundled images, which it was not trained on', async id => {
    const backend = wasmWith({ threads: 1 })
    const subject = valueOf(await subjects.one(id)())
    const { see, labels, dispose } = valueOf(await classifier(subject, subject.weights!, backend)())
    const guesses = await Promise.all(images.map(async file => valueOf(await see(`${root}recipes/images/${file}`)()).probabilities))
    const right = images.filter((file, i) => labels[guesses[i]!.indexOf(Math.max(...guesses[i]!))]!.replace(' ', '-') === file.replace(/-\d+\.png$/, ''))
    expect(right.length).toBeGreaterThanOrEqual(15) // of 20
    dispose()
    await backend.close()
  })
})
