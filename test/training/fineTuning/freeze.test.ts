import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { recipes, vitRecipe } from '../../../recipes/index.js'
import { batchNorm, cost, dropout, frozen, freeze, fromJson, input, layerNorm, linear, linearProbe, named, outline, print, replaceHead, serial, tap, toJson, trace, unfreeze, type AnyModel, type Mode, type Model } from '../../../src/index.js'
import { positionEmbed } from '../../../src/layers/positionEmbed.js'
import { defineLayer } from '../../../src/layers/core/layer.js'
import { problemOf, valueOf } from '../../support/either.js'

const graph = (m: unknown, mode: Mode = 'inference') => valueOf(trace(m as AnyModel, { mode }))
/** The graph as text, but for the roles. */
const text = (m: unknown, mode: Mode = 'inference'): string => print([graph(m, mode).output]).replaceAll('role="frozen"', 'role="trained"')
const roles = (m: unknown, role: string): readonly string[] => graph(m).parameters.filter(p => p.attributes.role === role).map(p => p.attributes.name)
const names = (m: unknown): readonly string[] => graph(m).parameters.map(p => p.attributes.name)

const vit = vitRecipe({ imageSize: 16, patchSize: 8, dim: 8, depth: 3, numHeads: 2, numClasses: 5 }).model
const { coatnet_pico_rw_224: { model: coatnet } } = recipes

describe('freeze', () => {
  it('gives parameters the role, by name or by what they are inside of, and changes nothing else', () => {
    const made = valueOf(freeze(vit, ['patch_embed', 'cls_token', 'pos_embed', 'blocks.{0..1}', 'norm.bias']))
    const expected = names(vit).filter(name => /^(patch_embed\.|cls_token$|pos_embed$|blocks\.[01]\.|norm\.bias$)/.test(name))
    expect(expected.length).toBe(4 + 24 + 1)
    expect(roles(made, 'frozen')).toEqual(expected)
    expect(names(made)).toEqual(names(vit))
    expect(text(made)).toBe(text(vit))
    expect(cost(graph(made))).toEqual(cost(graph(vit)))
    expect([...graph(made).features.keys()]).toEqual([...graph(vit).features.keys()])
  })

  it('is taken back by unfreeze, the last that is said of a parameter counting', () => {
    const most = valueOf(unfreeze(valueOf(freeze(vit, '**')), ['head', 'blocks.*.norm1']))
    expect(roles(most, 'trained')).toEqual(names(vit).filter(name => /^head\.|norm1/.test(name)))
    const again = valueOf(freeze(most, 'blocks.0'))
    expect(roles(again, 'trained')).toEqual(names(vit).filter(name => /^head\.|blocks\.[12]\.norm1/.test(name)))
    expect(roles(valueOf(unfreeze(again, '**')), 'frozen')).toEqual([])
  })

  it('stays with a model that goes on, and inside a name', () => {
    const features = valueOf(freeze(pipe(input(4), serial(layerNorm(), linear(3))), '**'))
    expect(roles(pipe(features, named('head', linear(2))), 'trained')).toEqual(['head.weight', 'head.bias'])
    const inside = pipe(input(4), named('a', tap('seen', frozen({ paths: 'b' }, serial(named('b', linear(4)), named('c', frozen({}, linear(4))), linear(2))))))
    expect([roles(inside, 'frozen'), roles(inside, 'trained')]).toEqual([['a.b.weight', 'a.b.bias', 'a.c.weight', 'a.c.bias'], ['a.linear.weight', 'a.linear.bias']])
  })

  it('adds up where layers that freeze stand in one another, the outer one deciding', () => {
    expect(roles(pipe(input(4), frozen({ paths: '!bias' }, frozen({}, linear(2)))), 'frozen')).toEqual(['linear.weight'])
    expect(roles(pipe(input(4), frozen({}, frozen({ paths: '!bias' }, linear(2)))), 'frozen')).toEqual(['linear.weight', 'linear.bias'])
  })

  it('leaves what a layer itself declares as frozen, or as a statistic', () => {
    const table = (): ReturnType<typeof positionEmbed> => defineLayer('table', table, [], { parameters: () => ({ table: { shape: [4], initialiser: { kind: 'zeros' }, role: 'frozen' } }), forward: x => x }) as never
    const m = pipe(input(2, 4), named('t', table()), named('bn', batchNorm()))
    expect(roles(valueOf(unfreeze(valueOf(freeze(m, '**')), '**')), 'frozen')).toEqual(['t.table'])
    expect(roles(valueOf(freeze(m, '**')), 'buffer')).toEqual(['bn.running_mean', 'bn.running_var'])
  })

  it('comes back out of JSON, and is not in pictures', () => {
    const made = valueOf(freeze(vit, 'blocks.0', { statistics: 'keep' }))
    const json = toJson(made as unknown as AnyModel)
    expect(json).toMatchObject({ layers: [['frozen', { paths: 'blocks.0', statistics: 'keep' }, ['serial', expect.anything(), expect.anything()]]] })
    expect(roles(valueOf(fromJson(JSON.parse(JSON.stringify(json)))), 'frozen')).toEqual(roles(made, 'frozen'))
    expect(valueOf(outline(made as unknown as AnyModel))).toEqual(valueOf(outline(vit as unknown as AnyModel)))
  })

  it.each([
    ['unknownPath', 'blocks.0.atn', "did you mean 'blocks.0.attn'?"],
    ['unknownPath', 'blocks.3', "in 'blocks' there are: 0, 1, 2"],
    ['unknownPath', 'head.wieght', "did you mean 'head.weight'?"],
    ['badPattern', 'blocks.{0', expect.stringContaining('a pattern is a path')],
  ])('refuses with %s: %s', (code, pattern, remedy) => {
    expect(problemOf(freeze(vit, ['head', pattern]))).toMatchObject({ code, remedy })
    expect(problemOf(unfreeze(vit, pattern))).toMatchObject({ code, remedy })
  })

  it('may mean everything where there is nothing', () => {
    expect(text(valueOf(freeze(pipe(input(4), dropout(0.5)), '**')), 'training')).toBe(text(pipe(input(4), dropout(0.5)), 'training'))
  })

  it('says where a layer inside freezes what is not there', () => {
    expect(problemOf(trace(pipe(input(4), named('a', frozen({ paths: 'b.weight' }, linear(4)))) as unknown as AnyModel))).toMatchObject({ code: 'unknownPath', path: 'a › frozen' })
    expect(problemOf(trace(pipe(input(4), frozen({ paths: ['bias'] as never }, linear(4))) as unknown as AnyModel)).code).toBe('badPattern')
  })
})

describe('batch norms that are frozen', () => {
  const m = pipe(input(3, 3, 4), named('a', batchNorm()), named('b', batchNorm()), dropout(0.5))
  const counts = (frozenModel: unknown): readonly string[] => [...graph(frozenModel, 'training').features.keys()].filter(name => name.endsWith('running_mean'))

  it('go on counting in training, as in PyTorch', () => {
    const made = valueOf(freeze(m, 'a'))
    expect(counts(made)).toEqual(['a.running_mean', 'b.running_mean'])
    expect(text(made, 'training')).toBe(text(m, 'training'))
  })

  it('run as in inference where their statistics are kept, and no others do', () => {
    const made = valueOf(freeze(m, 'a', { statistics: 'keep' }))
    expect(counts(made)).toEqual(['b.running_mean'])
    const whole = valueOf(freeze(m, '**', { statistics: 'keep' }))
    expect(counts(whole)).toEqual([])
    // Dropout still acts.
    expect(text(whole, 'training')).toContain('dropMask')
    expect(text(valueOf(freeze(coatnet, '**', { statistics: 'keep' })), 'training')).toBe(text(coatnet))
    expect(counts(valueOf(unfreeze(whole, 'a')))).toEqual(['a.running_mean'])
  })
})

describe('linearProbe', () => {
  it.each([['vit_tiny_patch16_224', ['head']], ['deit_tiny_distilled_patch16_224', ['head', 'head_dist']], ['swin_tiny_patch4_window7_224', ['head.fc']], ['ms_swin_tiny_patch4_window7_224', ['head']], ['convit_tiny', ['head']], ['coatnet_0_224', ['head.fc']], ['vit_tiny_r_s16_p8_224', ['head']]] as const)('trains only the head of %s', (id, heads) => {
    const m = recipes[id].model as unknown as Model<unknown, unknown>
    const made = valueOf(linearProbe(m))
    expect(roles(made, 'trained')).toEqual(heads.flatMap(head => [`${head}.weight`, `${head}.bias`]))
    expect([...graph(made, 'training').features.keys()].filter(name => name.endsWith('running_mean'))).toEqual([])
  })

  it('trains the head that was put on', () => {
    const made = valueOf(linearProbe(valueOf(replaceHead(valueOf(freeze(vit, '**')), 3))))
    expect(roles(made, 'trained')).toEqual(['head.weight', 'head.bias'])
  })

  it('asks which layer is the head where a model does not end with one', () => {
    const m = pipe(input(4), named('fc', linear(3)), layerNorm())
    expect(problemOf(linearProbe(m))).toMatchObject({ code: 'noHead', remedy: expect.stringContaining('fc') })
    expect(roles(valueOf(linearProbe(m, { at: 'fc' })), 'trained')).toEqual(['fc.weight', 'fc.bias'])
  })
})
