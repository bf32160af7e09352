import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { autoformerSpace, recipes } from '../../recipes/index.js'
import { input, linear, shapeOf } from '../../src/index.js'
import { checkSpace } from '../../src/search/checkSpace.js'
import { defineSpace } from '../../src/search/defineSpace.js'
import { partOf } from '../../src/search/partOf.js'
import { priceOf } from '../../src/search/priceOf.js'
import { recipeSpace } from '../../src/search/recipeSpace.js'
import { random } from '../../src/training/random.js'
import { problemOf, valueOf } from '../support/either.js'

const space = defineSpace({ dim: [4, 8, 12], depth: [1, 3], heads: { each: [1, 2], times: 'depth' }, act: ['relu', 'gelu'] }, ({ dim }) => pipe(input(5), linear(dim)))
type Picked = Parameters<typeof space.model>[0]

describe('a space', () => {
  it('knows the types of what is picked', () => {
    expectTypeOf<Picked>().toEqualTypeOf<{ readonly dim: 4 | 8 | 12; readonly depth: 1 | 3; readonly heads: readonly (1 | 2)[]; readonly act: 'relu' | 'gelu' }>()
  })

  it('counts its choices, lists by each of their lengths', () => {
    // 3 · 2 · (2¹ + 2³)
    expect(space.count).toBe(60)
    const all = new Set(Array.from({ length: 3000 }, (_, i) => space.keyOf(space.sample(random(1, 'count', i)))))
    expect(all.size).toBe(60)
  })

  it('draws each value about as often, and lists as long as they are to be', () => {
    const drawn = Array.from({ length: 3000 }, (_, i) => space.sample(random(2, 'fair', i)))
    for (const dim of [4, 8, 12]) expect(Math.abs(drawn.filter(p => p.dim === dim).length - 1000)).toBeLessThan(120)
    expect(drawn.every(({ depth, heads }) => heads.length === depth)).toBe(true)
  })

  it('mutates few values at a low rate, none at nearly none, and goes on where a list grows', () => {
    const parent: Picked = { dim: 8, depth: 1, heads: [2], act: 'gelu' }
    const children = Array.from({ length: 2000 }, (_, i) => space.mutate(parent, random(3, 'mutate', i), 0.3))
    // A value is drawn again with 0.3, and is then another one in two cases of three, of two.
    expect(children.filter(({ dim }) => dim !== 8).length / 2000).toBeCloseTo(0.2, 1)
    expect(children.filter(({ act }) => act !== 'gelu').length / 2000).toBeCloseTo(0.15, 1)
    const grown = children.filter(({ depth }) => depth === 3)
    expect(grown.every(({ heads }) => heads.length === 3)).toBe(true)
    expect(new Set(grown.map(({ heads }) => heads.join())).size).toBe(8)
    expect(space.mutate(parent, random(3, 'mutate', 0), 1e-9)).toEqual(parent)
  })

  it('crosses two parents, place by place', () => {
    const [a, b]: [Picked, Picked] = [{ dim: 4, depth: 1, heads: [1], act: 'relu' }, { dim: 12, depth: 3, heads: [2, 2, 1], act: 'gelu' }]
    const children = Array.from({ length: 400 }, (_, i) => space.cross(a, b, random(4, 'cross', i)))
    for (const child of children) {
      expect([4, 12]).toContain(child.dim)
      expect(child.heads.length).toBe(child.depth)
      // Only one parent has further places.
      expect(child.heads.slice(1)).toEqual([2, 1].slice(0, child.depth - 1))
    }
    expect(new Set(children.map(c => space.keyOf(c))).size).toBe(16)
  })

  it('that cannot be searched is refused with what is wrong', () => {
    const told = (choices: never) => problemOf(checkSpace(defineSpace(choices, () => undefined) as never))
    expect(told({} as never)).toMatchObject({ code: 'badSpace', sentence: 'space: there is nothing to choose' })
    expect(told({ dim: [] } as never).sentence).toBe("space: 'dim' has no values to choose from")
    expect(told({ heads: { each: [1], times: 'depth' } } as never).sentence).toBe("space: 'heads' is as long as 'depth' says, which is no choice of whole numbers")
    expect(told({ depth: ['two'], heads: { each: [1], times: 'depth' } } as never).path).toBe('heads')
  })
})

describe("AutoFormer's own spaces", () => {
  it('have the shapes of their models in their types', () => {
    const picked = autoformerSpace.tiny.sample(random(1, 'tiny', 0))
    const model = autoformerSpace.tiny.model(picked)
    expect(valueOf(shapeOf(model as never))).toEqual([1000])
    expectTypeOf(model.input).not.toBeAny()
  })

  it.each([['small', 'autoformer_s_subnet', 22_891_432, 5_161_400_832], ['base', 'autoformer_b_subnet', 53_691_688, 11_691_179_008]] as const)('in the %s one, %s costs what the authors count', (size, id, params, macs) => {
    const { dim, depth, numHeads, mlpRatio } = recipes[id].config as { dim: never; depth: never; numHeads: never; mlpRatio: never }
    const space = autoformerSpace[size]
    expect(valueOf(priceOf(space.model({ dim, depth, numHeads, mlpRatio } as never) as never))).toEqual({ params, macs })
  })

  it.each(['tiny', 'small', 'base'] as const)('all of the %s one are parts of the whole', size => {
    const space = autoformerSpace[size]
    for (let i = 0; i < 3; i++) expect(shapeOf(partOf(space.model(space.sample(random(5, size, i)) as never) as never, space.whole!))._tag).toBe('Right')
  })

  it('are as large as the paper says: more than 10¹³ for the small one', () => {
    expect(autoformerSpace.small.count).toBeGreaterThan(1e13)
  })
})

describe('the space of a recipe', () => {
  it('has the largest of all values as its whole, unless another is given', () => {
    const choices = { dim: [16, 32], depth: [1, 2] } as const
    const config = { imageSize: 8, patchSize: 4, numHeads: 2, headDim: 8, numClasses: 3 }
    const whole = (options: object) => valueOf(priceOf(valueOf(recipeSpace(recipes.autoformer_t_supernet as never, choices, options)).whole!)).params
    expect(whole({ config })).toBe(valueOf(priceOf(recipes.autoformer_t_supernet.withConfig({ ...config, dim: 32, depth: 2 }).model as never)).params)
    expect(whole({ config, whole: { dim: 64 } })).toBeGreaterThan(whole({ config }))
  })

  it('refuses what is no option, and names those there are', () => {
    expect(problemOf(recipeSpace(recipes.autoformer_t_supernet as never, { width: [1] }))).toMatchObject({ code: 'badSpace', sentence: "space: the recipe has no option 'width'", path: 'width' })
  })
})
