import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { recipes, swinRecipe, vitRecipe, type Recipe } from '../../../recipes/index.js'
import { atResolution, expectShape, fanOut, flattenTokens, gelu, identity, input, layerNorm, linear, mlp, named, patchEmbed, positionEmbed, print, replaceHead, residual, selfAttention, serial, shapeOf, softmax, takeToken, trace, type AnyModel, type Model, type Problem } from '../../../src/index.js'
import { problemOf, valueOf } from '../../support/either.js'
import { recordings } from './recordings.js'

const text = (m: unknown): string => print([valueOf(trace(m as AnyModel)).output])
const parameters = (m: unknown): Readonly<Record<string, readonly number[]>> => Object.fromEntries(valueOf(trace(m as AnyModel)).parameters.map(p => [p.attributes.name, p.shape]))

const vit = vitRecipe({ imageSize: 32, patchSize: 8, dim: 16, depth: 1, numHeads: 2, numClasses: 5 })
const swin = swinRecipe({ imageSize: 32, patchSize: 4, dim: 12, depths: [1, 2], numHeads: [2, 3], windowSize: 4, numClasses: 5 })

describe('replaceHead', () => {
  it.each(Object.entries<Recipe>(recipes as Readonly<Record<string, Recipe>>).filter(([, { config, options }]) => 'numClasses' in options && (config as { numClasses?: number }).numClasses !== 0))('gives what the option numClasses gives: %s', (_, recipe) => {
    expect(text(valueOf(replaceHead(recipe.model as unknown as Model<unknown, unknown>, 7)))).toBe(text(recipe.withConfig({ numClasses: 7 }).model))
  })

  it('has the names and shapes that timm has after reset_classifier', () => {
    const recorded = JSON.parse(recordings.metadata['heads']!) as Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
    expect(parameters(valueOf(replaceHead(vit.model, 7)))).toEqual(recorded['vit'])
    expect(parameters(valueOf(replaceHead(swin.model, 7)))).toEqual(recorded['swin'])
  })

  it('is known to the compiler', () => {
    const one: Either<Problem, Model<readonly [32, 32, 3], readonly [7]>> = replaceHead(vit.model, 7)
    const fields = pipe(input(4), fanOut({ a: linear(3), b: serial(linear(9), softmax()) }))
    const two: Either<Problem, Model<readonly [4], { readonly a: readonly [7]; readonly b: readonly [7] }>> = replaceHead(fields, 7)
    const map: Either<Problem, Model<readonly [4, 5, 6], readonly [4, 5, 2]>> = replaceHead(pipe(input(4, 5, 6), linear(3)), 2)
    // @ts-expect-error another number of classes
    const wrong: Either<Problem, Model<readonly [32, 32, 3], readonly [8]>> = replaceHead(vit.model, 7)
    expect([one, two, map, wrong].map(m => valueOf(shapeOf(valueOf(m as Either<Problem, Model<unknown, unknown>>))))).toEqual([[7], { a: [7], b: [7] }, [4, 5, 2], [7]])
  })

  it.each([
    ['ends with a norm', pipe(input(4), linear(3), layerNorm()), "the last weights are those of 'norm'"],
    ['ends with a residual branch', pipe(input(2, 4), residual(mlp())), "the last weights are those of 'mlp.fc2'"],
    ['ends with attention', pipe(input(2, 4), selfAttention({ numHeads: 2 })), "the last weights are those of 'attn.proj'"],
    ['has no weights', pipe(input(4), gelu()), 'it has no weights'],
    ['gives features too', pipe(input(4), layerNorm(), fanOut({ logits: linear(3), features: identity() })), "the last weights are those of 'norm'"],
  ] as const)('says so where a model %s', (_, m, sentence) => {
    expect(problemOf(replaceHead(m as unknown as Model<unknown, unknown>, 7))).toMatchObject({ code: 'noHead', sentence: expect.stringContaining(sentence), remedy: expect.any(String) })
  })

  it('takes the path of the head where it is told one, and says so where that is none', () => {
    const m = pipe(input(4), named('classes', linear(3)), softmax(), layerNorm())
    expect(problemOf(replaceHead(m, 7)).remedy).toBe('add a linear layer, or say which layer is the head; the linear layers are classes')
    expect(text(valueOf(replaceHead(m, 7, { at: 'classes' })))).toBe(text(pipe(input(4), named('classes', linear(7)), softmax(), layerNorm())))
    expect(problemOf(replaceHead(m, 7, { at: 'clases' }))).toMatchObject({ code: 'unknownPath', remedy: "did you mean 'classes'?" })
    expect(problemOf(replaceHead(m, 7, { at: 'norm' })).code).toBe('noHead')
    // What comes between adds the old number up.
    expect(problemOf(replaceHead(pipe(input(4), named('a', linear(3)), named('b', linear(2))), 7, { at: 'a' }))).toMatchObject({ code: 'noHead', expected: '7', actual: '2' })
    expect(problemOf(replaceHead(m, 0.5, { at: 'classes' })).code).toBe('notASize')
  })
})

describe('atResolution', () => {
  const ids = ['vit_tiny_patch16_224', 'vit_tiny_r_s16_p8_224', 'deit_tiny_distilled_patch16_224', 'convit_tiny', 'coatnet_0_224', 'swin_tiny_patch4_window7_224'] as const

  it.each(ids)('gives the model that the option imageSize gives: %s', id => {
    const [recipe, size] = [recipes[id], id.startsWith('swin') ? 448 : 256]
    const made = valueOf(atResolution(recipe.model as unknown as Model<readonly [224, 224, 3], readonly [1000]>, size))
    expect(text(made)).toBe(text(recipe.withConfig({ imageSize: size }).model))
    const changed = valueOf(atResolution(recipe as unknown as Recipe, size))
    expect(text(changed.model)).toBe(text(made))
  })

  it('is known to the compiler', () => {
    const made: Either<Problem, Model<readonly [48, 64, 3], readonly [5]>> = atResolution(vit.model, [48, 64])
    const tokens: Either<Problem, Model<readonly [64, 64, 3], readonly [number, 8]>> = atResolution(pipe(input(32, 32, 3), patchEmbed({ patchSize: 8, dim: 8 }), flattenTokens()), 64)
    expect([made, tokens].map(m => valueOf(shapeOf(valueOf(m as Either<Problem, Model<unknown, unknown>>))))).toEqual([[5], [64, 8]])
  })

  it('changes other options of a recipe with it', () => {
    const made = valueOf(atResolution(recipes.swin_base_patch4_window7_224, 384, { windowSize: 12 }))
    expect(text(made.model)).toBe(text(recipes.swin_base_patch4_window12_384.model))
  })

  it('grows the grids that are written in options', () => {
    const m = pipe(input(32, 48, 3), patchEmbed({ patchSize: 8, dim: 8 }), flattenTokens(), positionEmbed({ kind: 'sinCos2d', grid: [4, 6], numTokens: 24 }), takeToken(0))
    expect(text(valueOf(atResolution(m, [64, 24])))).toBe(text(pipe(input(64, 24, 3), patchEmbed({ patchSize: 8, dim: 8 }), flattenTokens(), positionEmbed({ kind: 'sinCos2d', grid: [8, 3] }), takeToken(0))))
    expect(problemOf(atResolution(m, [64, 28]))).toMatchObject({ code: 'gridDoesNotGrow', remedy: 'sizes that fit are multiples of 8×8' })
  })

  it('says what does not fit, and what would', () => {
    expect(problemOf(atResolution(recipes.vit_tiny_patch16_224.model, 250))).toMatchObject({ code: 'patchesDoNotFit', remedy: expect.stringContaining('240, 256') })
    expect(problemOf(atResolution(recipes.swin_tiny_patch4_window7_224.model, 384))).toMatchObject({ code: 'stageDoesNotDivide', remedy: expect.stringContaining('448') })
    expect(problemOf(atResolution(recipes.swin_tiny_patch4_window7_224, 384))).toMatchObject({ code: 'stageDoesNotDivide' })
    expect(problemOf(atResolution(pipe(input(8), linear(3)), 32)).code).toBe('notAnImageModel')
    expect(problemOf(atResolution(vit.model, [32, -8])).code).toBe('notASize')
    expect(problemOf(atResolution(pipe(input(8, 8, 3), expectShape(8, 8, 3)), 16)).code).toBe('expectsShape')
  })
})
