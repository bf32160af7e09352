import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { deitRecipes } from '../../recipes/deit.js'
import { recipes } from '../../recipes/index.js'
import { vitRecipes } from '../../recipes/vit.js'
import { cost, parametersOf, shapeOf, trace, type AnyModel, type Graph, type Model } from '../../src/index.js'
import { validate } from '../../src/graph/validate.js'

/** What the reference implementations count, distilled by test/fixtures/counts.py. */
const counts = JSON.parse(readFileSync(new URL('../fixtures/counts.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, { readonly params: number; readonly macs: { readonly linear: number; readonly conv: number; readonly matmul: number; readonly total: number }; readonly tensors: number; readonly names: string }>
>
const ours: Readonly<Record<string, { readonly model: unknown }>> = recipes

const traced = (model: unknown): Graph => {
  const found = trace(model as AnyModel)
  if (found._tag === 'Left') throw new Error(found.left.sentence)
  return found.right
}
const namesOf = (graph: Graph): string => {
  const lines = parametersOf(graph).map(p => `${p.attributes.name} ${p.shape.join('x')}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}

describe('a published model has the reference\'s own numbers', () => {
  it('of which there are 86', () => expect(Object.keys(counts).length).toBe(86))

  it.each(Object.entries(counts))('%s', (id, { params, macs, tensors, names }) => {
    expect(Object.keys(ours)).toContain(id)
    const graph = traced(ours[id]!.model)
    const ownCost = cost(graph)
    expect(ownCost.params).toBe(params)
    expect(ownCost.macs).toEqual(macs)
    expect(parametersOf(graph).length).toBe(tensors)
    expect(namesOf(graph)).toBe(names)
  })
})

describe('every published model', () => {
  it.each(Object.keys(ours))('%s traces to a legal graph', id => {
    expect(validate([traced(ours[id]!.model).output])).toEqual([])
  })
})

describe('a plain transformer', () => {
  it.each(Object.keys({ ...vitRecipes, ...deitRecipes }))('%s needs memory for a few times its tokens', id => {
    const graph = traced(ours[id]!.model)
    // The widest of a block's activations are its input, its normed input and the hidden layer of its MLP.
    const [tokens = 0, dim = 0] = shapeOfFeature(graph, 'norm') ?? []
    expect(cost(graph).activationBytes).toBeGreaterThanOrEqual(4 * tokens * dim)
    expect(cost(graph).activationBytes).toBeLessThan(4 * 12 * (tokens + 2) * dim + 4 * 3 * 518 * 518 + 4 * tokens * dim)
  })
})

const shapeOfFeature = (graph: Graph, name: string): readonly number[] | undefined => {
  const feature = graph.features.get(name)
  return feature !== undefined && Array.isArray((feature as { readonly shape?: unknown }).shape) ? (feature as { readonly shape: readonly number[] }).shape : undefined
}

it('a recipe with other options is another model', () => {
  const small = recipes.vit_tiny_patch16_224.withConfig({ imageSize: 32, depth: 2, numClasses: 7 })
  expect(shapeOf(small.model as unknown as Model<unknown, unknown>)).toEqual({ _tag: 'Right', right: [7] })
  expect(cost(traced(small.model)).params).toBeLessThan(cost(traced(recipes.vit_tiny_patch16_224.model)).params)
})
