import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { recipes, type Recipe } from '../../recipes/index.js'
import { cost, trace, type AnyLayer, type AnyModel } from '../../src/index.js'
import { model } from '../../src/layers/core/model.js'
import { mapLayer } from '../../src/layers/mapLayer.js'
import { identity } from '../../src/layers/identity.js'
import { takeToken } from '../../src/layers/takeToken.js'
import { selfAttention } from '../../src/layers/selfAttention.js'
import { fingerprint } from '../../src/testing/fingerprints/fingerprint.js'
import { fingerprintDifferences } from '../../src/testing/fingerprints/fingerprintDifferences.js'
import { formulaInput, formulaValues } from '../../src/testing/fingerprints/formulaValues.js'
import { recordedFingerprints, type RecordedFingerprints } from '../../src/testing/fingerprints/recordedFingerprints.js'
import { reducedConfig } from '../../src/testing/fingerprints/reducedConfig.js'
import type { Values } from '../../src/testing/oracles/oracle.js'
import { runOracle } from '../../src/testing/oracles/runOracle.js'
import { valueOf } from '../support/either.js'

const text = readFileSync(new URL('../../recipes/fingerprints.json', import.meta.url), 'utf8')
const recorded = recordedFingerprints(text)
const { small } = JSON.parse(text) as RecordedFingerprints
const published = Object.entries(recipes) as unknown as readonly (readonly [string, Recipe])[]

describe('a published recipe is as it was when its recordings were checked', () => {
  it('all of them are recorded, and nothing else: npm run fingerprints', () => {
    expect([...recorded.keys()].sort()).toEqual(published.map(([id]) => id).sort())
    expect(text.length).toBeLessThan(240_000)
  })

  it.each(published)('%s', (id, recipe) => {
    expect(fingerprintDifferences(valueOf(fingerprint(recipe, recorded.get(id)!.reduced)), recorded.get(id)!)).toEqual([])
  })
})

describe('what was recorded is what the definitions of the layers give', () => {
  it.each(Object.entries(small))('%s', (id, { reduced, output }) => {
    const { model } = published.find(([name]) => name === id)![1].withConfig(reduced)
    const weights = new Map(valueOf(trace(model)).parameters.map(({ attributes: { name }, shape }) => [name, formulaValues(name, shape)]))
    const flat = (values: Values): readonly number[] => (values.data instanceof Float64Array ? Array.from(values.data) : Object.values(values as Readonly<Record<string, Values>>).flatMap(flat))
    const ran = flat(valueOf(runOracle(model, weights, formulaInput(model.input))).output)
    expect(ran.length).toBe(output.length)
    output.forEach((value, i) => expect(Math.abs(value - ran[i]!)).toBeLessThan(1e-6))
  })
})

describe('the small configuration', () => {
  it.each(published)('of %s keeps every switch, and is small', (_, recipe) => {
    const reduced = reducedConfig(recipe)
    const switches = Object.entries(recipe.config).filter(([, value]) => typeof value === 'boolean' || typeof value === 'string' || (Array.isArray(value) && value.some(v => typeof v !== 'number')))
    expect(switches.filter(([name]) => name in reduced)).toEqual([])
    expect(cost(valueOf(trace(recipe.withConfig(reduced).model))).macs.total).toBeLessThan(6e6)
  })
})

describe('a change of wiring is found, and where', () => {
  const altered = (id: keyof typeof recipes, change: (layer: AnyLayer) => AnyLayer): Recipe => {
    const of = (m: AnyModel): AnyModel => model(m.input, m.layers.map(layer => mapLayer(layer, change)))
    const wrap = (recipe: Recipe): Recipe => ({ ...recipe, model: of(recipe.model), withConfig: changes => wrap(recipe.withConfig(changes)) })
    return wrap(recipes[id] as unknown as Recipe)
  }
  const told = (id: keyof typeof recipes, change: (layer: AnyLayer) => AnyLayer) => fingerprintDifferences(valueOf(fingerprint(altered(id, change), recorded.get(id)!.reduced)), recorded.get(id)!).map(({ code, path }) => [code, path])
  const kind = (layer: AnyLayer): string => layer.definition.kind

  it.each([
    ['a norm left out', 'vit_tiny_patch16_224', (l: AnyLayer) => (kind(l) === 'layerNorm' ? identity() : l), [['publishedNamesDiffer', ''], ['publishedOutputDiffers', 'norm']]],
    ['another token taken', 'vit_tiny_patch16_224', (l: AnyLayer) => (kind(l) === 'takeToken' ? takeToken(1) : l), [['publishedOutputDiffers', 'fc_norm']]],
    ['both heads on one token', 'deit_tiny_distilled_patch16_224', (l: AnyLayer) => (kind(l) === 'takeToken' ? takeToken(0) : l), [['publishedOutputDiffers', 'head_dist']]],
    ['another number of heads', 'convit_tiny', (l: AnyLayer) => (kind(l) === 'selfAttention' ? selfAttention({ numHeads: 2, qkvBias: false }) : l), [['publishedOutputDiffers', 'blocks.2.attn']]],
  ] as const)('%s', (_, id, change, expected) => {
    expect(told(id, change)).toEqual(expected)
  })

  it('options that are not the published ones', () => {
    const recipe = recipes.vit_small_patch16_224.withConfig({ numHeads: 8 })
    const found = fingerprintDifferences(valueOf(fingerprint(recipe, recorded.get('vit_small_patch16_224')!.reduced)), recorded.get('vit_small_patch16_224')!)
    expect(found.map(({ code }) => code)).toEqual(['publishedConfigDiffers'])
  })
})
