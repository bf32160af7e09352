import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { recipes, type Recipe } from '../../../recipes/index.js'
import { dropout, dropPath, encoderBlock, input, layerNorm, layerScale, linear, mlp, named, print, repeat, residual, selfAttention, serial, trace, withDropout, withLayerScale, withStochasticDepth, type AnyLayer, type AnyModel, type Model } from '../../../src/index.js'
import { problemOf, valueOf } from '../../support/either.js'

const text = (m: unknown): string => print([valueOf(trace(m as AnyModel, { mode: 'training' })).output])
const tokens = (...layers: readonly AnyLayer[]): Model<unknown, unknown> => pipe(input(4, 8), serial(...layers) as never) as unknown as Model<unknown, unknown>
const published: readonly (readonly [string, Recipe])[] = (['vit_tiny_patch16_224', 'deit_tiny_distilled_patch16_224', 'swin_tiny_patch4_window7_224', 'convit_tiny', 'coatnet_0_224', 'coatnet_nano_cc_224', 'vit_tiny_r_s16_p8_224'] as const).map(id => [id, recipes[id] as unknown as Recipe])
const model = (recipe: Recipe): Model<unknown, unknown> => recipe.model as unknown as Model<unknown, unknown>

describe('withStochasticDepth', () => {
  it.each(published)('does what the option dropPath does: %s', (_, recipe) => {
    expect(text(valueOf(withStochasticDepth(model(recipe), 0.2)))).toBe(text(recipe.withConfig({ dropPath: 0.2 }).model))
  })

  it('can be said again, and taken back', () => {
    const recipe = recipes.vit_tiny_patch16_224
    const twice = valueOf(withStochasticDepth(valueOf(withStochasticDepth(recipe.model, 0.3)), 0.1))
    expect(text(twice)).toBe(text(recipe.withConfig({ dropPath: 0.1 }).model))
    expect(text(valueOf(withStochasticDepth(twice, 0)))).toBe(text(recipe.model))
  })

  it('drops the branches of blocks that have no drop of their own', () => {
    const block = (rate?: number): AnyLayer => serial(...[selfAttention({ numHeads: 2 }), mlp()].map((inner, i) => residual(rate === undefined ? serial(layerNorm(), inner) : serial(layerNorm(), inner, named(`drop_path${i + 1}`, dropPath(rate))))))
    expect(text(valueOf(withStochasticDepth(tokens(repeat(3, block())), 0.4)))).toBe(text(tokens(repeat(3, i => block([0, 0.2, 0.4][i])))))
  })

  it('says so where there is nothing to drop, or the rate is none', () => {
    expect(problemOf(withStochasticDepth(tokens(linear(8)), 0.1))).toMatchObject({ code: 'nothingToChange', remedy: expect.stringContaining('residual') })
    expect(problemOf(withStochasticDepth(tokens(repeat(2, encoderBlock({ numHeads: 2 }))), 1.5)).code).toBe('notARate')
  })
})

describe('withLayerScale', () => {
  it.each(published.filter(([, recipe]) => Object.hasOwn(recipe.options, 'layerScale')))('does what the option layerScale does: %s', (_, recipe) => {
    expect(text(valueOf(withLayerScale(model(recipe), 1e-4)))).toBe(text(recipe.withConfig({ layerScale: 1e-4 }).model))
  })

  it('scales the branches of blocks that have no scale of their own, before they are dropped', () => {
    const branch = (...end: readonly AnyLayer[]): AnyLayer => residual(serial(layerNorm(), mlp(), ...end))
    const [before, after] = [serial(branch(named('drop_path1', dropPath(0.1))), branch()), serial(branch(named('ls1', layerScale(0.1)), named('drop_path1', dropPath(0.1))), branch(named('ls2', layerScale(0.1))))].map(block => tokens(repeat(2, block)))
    expect(text(valueOf(withLayerScale(before!, 0.1)))).toBe(text(after))
    const swin = valueOf(withLayerScale(recipes.swin_tiny_patch4_window7_224.model, 1e-5))
    expect(valueOf(trace(swin as unknown as AnyModel)).parameters.filter(p => p.attributes.name.endsWith('.gamma')).map(p => p.attributes.name).slice(0, 3)).toEqual(['layers.0.blocks.0.ls1.gamma', 'layers.0.blocks.0.ls2.gamma', 'layers.0.blocks.1.ls1.gamma'])
  })
})

describe('withDropout', () => {
  it.each(published)('does what the options for dropout do: %s', (_, recipe) => {
    const options = Object.fromEntries(['dropout', 'projDropout', 'positionDropout', 'headDropout'].filter(name => Object.hasOwn(recipe.options, name)).map(name => [name, 0.1]))
    expect(text(valueOf(withDropout(model(recipe), { dropout: 0.1, attentionDropout: 0.2 })))).toBe(text(recipe.withConfig({ ...options, attentionDropout: 0.2 }).model))
  })

  it('acts only where it is told to', () => {
    const blocks = (rates: readonly number[]): Model<unknown, unknown> => tokens(repeat(3, i => encoderBlock({ numHeads: 2, dropout: rates[i]! })), dropout(0.3))
    expect(text(valueOf(withDropout(blocks([0, 0, 0]), { dropout: 0.1, in: 'blocks.{1..2}' })))).toBe(text(blocks([0, 0.1, 0.1])))
    expect(problemOf(withDropout(blocks([0, 0, 0]), { dropout: 0.1, in: 'block' }))).toMatchObject({ code: 'unknownPath', remedy: "did you mean 'blocks'?" })
    expect(problemOf(withDropout(blocks([0, 0, 0]), { dropout: 0.1, in: 'blocks.0.attn' })).code).toBe('nothingToChange')
    expect(problemOf(withDropout(blocks([0, 0, 0]), { attentionDropout: -1 })).code).toBe('notARate')
  })
})
