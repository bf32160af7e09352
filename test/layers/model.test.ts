import { expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { isModel, linear, trace } from '../../src/index.js'
import { model } from '../../src/layers/core/model.js'
import type { AnyLayer } from '../../src/layers/core/layer.js'
import { valueOf } from '../support/either.js'

it('a model makes the layers that a function gives once, when they are looked at', () => {
  let made = 0
  const layers = (): readonly AnyLayer[] => {
    made++
    return [linear(3), linear(2)]
  }
  const lazy = model<readonly [4], readonly [2]>({ shape: [4], dtype: 'float32' }, layers)
  expect([isModel(lazy), Object.isFrozen(lazy), Object.keys(lazy), made]).toEqual([true, true, ['input', 'layers'], 0])
  expect(valueOf(trace(lazy)).output).toMatchObject({ shape: [2] })
  expect(lazy.layers).toBe(lazy.layers)
  expect([made, Object.isFrozen(lazy.layers), lazy.layers.map(layer => layer.definition.kind)]).toEqual([1, true, ['linear', 'linear']])
})

it('a copy of a recipe has the very layers of the recipe', () => {
  const { model: given } = recipes.vit_fashion_mnist
  expect({ ...given }.layers).toBe(given.layers)
})
