import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { recipes } from '../../../recipes/index.js'
import { dropout, encoderBlock, fanOut, frozen, identity, input, layerNorm, linear, merge, mlp, named, parallel, places, print, repeat, residual, rewrite, selfAttention, select, serial, stages, tap, toJson, trace, when, windowAttention, windows, type AnyLayer, type AnyModel, type Model } from '../../../src/index.js'
import { pathPattern } from '../../../src/layers/core/pathPattern.js'
import { problemOf, valueOf } from '../../support/either.js'

const paths = (m: unknown, patterns: string | readonly string[]): readonly string[] => valueOf(select(m as Model<unknown, unknown>, patterns)).map(place => place.path)
const text = (m: unknown): string => print([valueOf(trace(m as AnyModel)).output])
const { vit_tiny_patch16_224: { model: vit }, swin_tiny_patch4_window7_224: { model: swin } } = recipes

describe('a pattern', () => {
  it.each([
    ['head', ['head'], ['heads', 'head.fc', 'a.head']],
    ['blocks.*', ['blocks.0', 'blocks.11'], ['blocks', 'blocks.0.attn']],
    ['blocks.*.attn', ['blocks.3.attn'], ['blocks.attn', 'blocks.3.4.attn']],
    ['**.attn', ['attn', 'blocks.0.attn', 'a.b.c.attn'], ['attn.qkv', 'blocks.xattn']],
    ['blocks.**', ['blocks.0', 'blocks.0.attn.qkv'], ['blocks', 'head']],
    ['a.**.d', ['a.d', 'a.b.d', 'a.b.c.d'], ['a.b', 'ad', 'a.xd']],
    ['**', ['a', 'a.b.c'], []],
    ['blocks.{0,11}.norm*', ['blocks.0.norm1', 'blocks.11.norm2'], ['blocks.1.norm1', 'blocks.0.attn']],
    ['blocks.{9..11}', ['blocks.9', 'blocks.10', 'blocks.11'], ['blocks.8', 'blocks.1']],
    ['{patch_embed,blocks.0}.**', ['patch_embed.proj', 'blocks.0.attn'], ['blocks.1.attn', 'patch_embed']],
  ])('%s means some paths and not others', (pattern, yes, no) => {
    const means = valueOf(pathPattern(pattern))
    expect([yes.filter(path => !means(path)), no.filter(means)]).toEqual([[], []])
  })

  it.each(['', 'a..b', '.a', 'a.', 'a b', 'a.{b', 'a.b}', 'a.{b{c}}', 'a[0]', 'a|b', 'a.(b)', 'a.$'])("refuses '%s', and says what a pattern is", pattern => {
    expect(problemOf(select(vit, pattern))).toMatchObject({ code: 'badPattern', sentence: `select: '${pattern}' is no pattern of paths`, remedy: expect.stringContaining('blocks.3.attn') })
  })
})

describe('select', () => {
  it('finds layers by the paths of their parameters, those that other layers make too', () => {
    expect(paths(vit, 'blocks.{0,1}.attn')).toEqual(['blocks.0.attn', 'blocks.1.attn'])
    const owners = valueOf(trace(vit as unknown as AnyModel)).parameters.map(p => p.attributes.name.split('.').slice(0, -1).join('.'))
    const known = new Set(paths(vit, '**'))
    // An attention's projections are not layers of their own; tokens and positions have no layer's path.
    expect(owners.filter(path => path !== '' && !known.has(path) && !/attn\.(qkv|proj)$/.test(path))).toEqual([])
  })

  it('says what arrives at a layer, and in which window', () => {
    expect(valueOf(select(swin, 'layers.3.blocks.1.attn'))[0]).toMatchObject({ input: [49, 768], window: [7, 7], address: expect.stringMatching(/^[\w.]+$/) })
    const [mlp] = valueOf(select(vit, 'blocks.0.mlp'))
    expect([mlp!.input, mlp!.host.definition.kind, mlp!.layer.definition.kind, mlp!.address]).toEqual([[197, 192], 'encoderBlock', 'mlp', undefined])
  })

  it('looks into every combinator', () => {
    const parts = {
      repeat: repeat(2, named('x', linear(8))), serial: serial(named('x', linear(8))), residual: residual(named('x', linear(8)), named('y', linear(8))), tap: tap('t', named('x', linear(8))),
      frozen: frozen({}, named('x', linear(8))), when: when(true, named('x', linear(8))), stages: stages(named('x', linear(8))), fanOut: serial(fanOut({ x: linear(8), y: identity() }), parallel({ y: named('x', linear(8)) }), merge('add')),
    } as const
    for (const [name, layer] of Object.entries(parts)) expect([name, paths(pipe(input(4, 8), named('in', layer as AnyLayer) as never), 'in.**').some(path => path.endsWith('x'))]).toEqual([name, true])
    expect(paths(pipe(input(4, 4, 8), windows({ windowSize: 2 }, serial(named('x', linear(8)), windowAttention({ numHeads: 2 })))), '*')).toEqual(['x', 'attn'])
  })

  it.each([
    ['blok.3', "did you mean 'blocks.3'?"],
    ['blocks.*.atn', "did you mean 'blocks.*.attn'?"],
    ['blocks.12', "in 'blocks' there are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"],
    ['blocks.0.qwertyuiop', "in 'blocks.0' there are: norm1, attn, norm2, mlp"],
    ['**.attnn', "did you mean '**.attn'?"],
    ['zzzzzzzzzz', 'there are: patch_embed, pos_drop, patch_drop, norm_pre, blocks, norm, fc_norm, head'],
  ])('says what is near, where there is nothing at %s', (pattern, remedy) => {
    expect(problemOf(select(vit, pattern))).toMatchObject({ code: 'unknownPath', sentence: `select: there is nothing at '${pattern}'`, remedy })
  })
})

describe('rewrite', () => {
  const ready = (m: object): Model<unknown, unknown> => m as Model<unknown, unknown>

  it.each([
    ['in a repeat of one block', repeat(3, serial(layerNorm(), named('fc', linear(8)))), repeat(3, i => serial(layerNorm(), named('fc', i === 1 ? identity() : linear(8)))), 'blocks.1.fc'],
    ['in a repeat of several', repeat(3, i => serial(dropout(i / 10), named('fc', linear(8)))), repeat(3, i => serial(dropout(i / 10), named('fc', i > 0 ? identity() : linear(8)))), 'blocks.{1..2}.fc'],
    ['in a branch and in its shortcut', residual(named('a', linear(8)), named('b', linear(8))), residual(named('a', identity()), named('b', identity())), '{a,b}'],
    ['in fields', serial(fanOut({ a: linear(8), b: linear(8) }), merge('add')), serial(fanOut({ a: linear(8), b: identity() }), merge('add')), 'b'],
    ['behind a tap', tap('t', linear(8)), tap('t', identity()), 'linear'],
    ['behind what is frozen', frozen({ statistics: 'keep' }, serial(layerNorm(), named('fc', mlp()))), frozen({ statistics: 'keep' }, serial(layerNorm(), named('fc', serial(linear(8))))), 'fc'],
    ['inside out', serial(named('a', serial(named('b', linear(8))))), serial(named('a', identity())), ['a', 'a.b']],
  ] as const)('changes a layer %s', (_, before, after, patterns) => {
    const [m, expected] = [ready(pipe(input(4, 8), before as never) as object), ready(pipe(input(4, 8), after as never) as object)]
    const made = valueOf(rewrite(m, patterns, (_, path) => (path === 'fc' && JSON.stringify(toJson(m as unknown as AnyModel)).includes('mlp') ? serial(linear(8)) : identity())))
    expect(text(made)).toBe(text(expected))
  })

  it('leaves alone what is not meant, so that the model stays as it was written', () => {
    const made = valueOf(rewrite(vit, 'head', layer => serial(dropout(0.1), layer)))
    expect(JSON.stringify(toJson(made as unknown as AnyModel))).toBe(JSON.stringify(toJson(vit as unknown as AnyModel)).replace('["linear",1000,{}]', '["serial",["dropout",0.1],["linear",1000,{}]]'))
    expect(valueOf(rewrite(vit, 'blocks', l => l)).layers[0]!.definition.args[1]).toBe(vit.layers[0]!.definition.args[1])
  })

  it('changes one block of a published model', () => {
    const made = valueOf(rewrite(vit, 'blocks.11', () => encoderBlock({ numHeads: 3, mlpRatio: 2 })))
    const shapes = new Map(valueOf(trace(made as unknown as AnyModel)).parameters.map(p => [p.attributes.name, p.shape]))
    expect([shapes.get('blocks.10.mlp.fc1.weight'), shapes.get('blocks.11.mlp.fc1.weight')]).toEqual([[768, 192], [384, 192]])
  })

  it('says so where another layer makes the one that is meant', () => {
    expect(problemOf(rewrite(vit, 'blocks.*.attn', l => l))).toMatchObject({ code: 'madeInside', sentence: "rewrite: 'blocks.0.attn' is made by the encoderBlock around it, out of its options", remedy: expect.stringContaining('numHeads, headDim, mlpRatio') })
  })

  it('says so where the new layer does not fit, or gives something else at the end', () => {
    expect(problemOf(rewrite(vit, 'blocks.3', () => linear(64)))).toMatchObject({ code: 'repeatMisfit' })
    expect(problemOf(rewrite(vit, 'blocks.3', () => selfAttention({ numHeads: 5 })))).toMatchObject({ code: 'headsDoNotSplit', path: 'blocks.3 › attention' })
    expect(problemOf(rewrite(vit, 'head', () => linear(10)))).toMatchObject({ code: 'outputChanges', expected: '1000', actual: '10', remedy: expect.stringContaining('replaceHead') })
    expect(problemOf(rewrite(vit, 'head', () => 3 as never)).code).toBe('notALayer')
    expect(problemOf(select(ready(pipe(input(4), selfAttention({ numHeads: 1 }) as never) as object), '*')).code).toBe('expectsTokens')
  })

  it('tells a layer that is written twice apart', () => {
    const shared = named('fc', linear(8))
    const m = ready(pipe(input(8), named('a', serial(shared)), named('b', serial(shared))))
    expect(valueOf(places(m as unknown as AnyModel)).filter(p => p.isNamed).map(p => p.path)).toEqual(['a', 'a.fc', 'b', 'b.fc'])
    expect(paths(valueOf(rewrite(m, 'b.fc', () => serial(named('c', linear(8))))), '*.fc.c')).toEqual(['b.fc.c'])
  })
})
