import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { dropout, embedding, encoderBlock, flattenTokens, fromJson, input, inputs, integerInput, linear, outline, parallel, patchEmbed, print, repeat, serial, takeToken, toJson, toMermaid, toSvg, trace, type AnyModel, type Json } from '../../src/index.js'
import { problemOf, valueOf } from '../support/either.js'

const through = (json: unknown): unknown => JSON.parse(JSON.stringify(json))
const text = (m: AnyModel): string => print([valueOf(trace(m)).output])

describe('JSON', () => {
  it.each(Object.entries(recipes))('%s comes back as the same graph', (_, { model }) => {
    expect(text(valueOf(fromJson(through(toJson(model as unknown as AnyModel)))))).toBe(text(model as unknown as AnyModel))
  })

  it('keeps records of inputs, integers, and blocks that differ', () => {
    const model = pipe(inputs({ a: input(4), ids: integerInput(3) }), parallel({ a: repeat(2, index => serial(linear(4), dropout(index / 10))), ids: embedding({ vocabularySize: 5, dim: 2 }) })) as unknown as AnyModel
    const json = toJson(model)
    expect(toJson(valueOf(fromJson(through(json))))).toEqual(json)
  })

  const layers = (...list: Json[]): unknown => ({ input: [16, 48], layers: list })
  it('says the compiler’s sentence when a model from a file does not fit', () => {
    const model = valueOf(fromJson(layers(['repeat', 2, ['encoderBlock', { numHeads: 5 }]])))
    expect(problemOf(trace(model))).toMatchObject({ code: 'headsDoNotSplit', sentence: 'attention: 48 channels do not split into 5 heads (16×48)', path: 'blocks.0 › attention', expected: 'a multiple of 5 channels', actual: '48' })
  })

  it.each([
    ['unknownLayer', layers(['linaer', 10])],
    ['unknownOption', layers(['encoderBlock', { numHeads: 3, heads: 2 }])],
    ['badJson', layers([])],
    ['badJson', { layers: [] }],
    ['badJson', { input: [3], layers: {} }],
    ['badJson', null],
    ['badJson', layers(['repeat', 2, { blocks: [['linear', 48]] }])],
  ])('refuses what is no model with %s', (code, json) => expect(problemOf(fromJson(json)).code).toBe(code))
})

describe('pictures', () => {
  const model = pipe(input(32, 32, 3), patchEmbed({ patchSize: 8, dim: 48 }), flattenTokens(), repeat(3, encoderBlock({ numHeads: 4 })), takeToken(0), linear(5))

  it('the outline adds up to the whole', () => {
    const steps = valueOf(outline(model as unknown as AnyModel))
    expect(steps.map(step => step.label)).toEqual(['patchEmbed', 'flattenTokens', '3 × encoderBlock', 'takeToken', 'linear'])
    expect(steps.map(step => step.output)).toEqual([[4, 4, 48], [16, 48], [16, 48], [48], [5]])
    expect(steps.reduce((sum, step) => sum + step.params, 0)).toBe(valueOf(trace(model as unknown as AnyModel)).parameters.reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0))
  })

  it('SVG and Mermaid hold every step and every shape', () => {
    for (const picture of [valueOf(toSvg(model, 'a <small> model')), valueOf(toMermaid(model))]) for (const words of ['patchEmbed', '3 × encoderBlock', '4×4×48', '16×48']) expect(picture).toContain(words)
    expect(valueOf(toSvg(model, 'a <small> model'))).toContain('a &lt;small&gt; model')
  })

  it('a model that does not fit has no picture', () => expect(problemOf(toSvg(pipe(input(4, 4), takeToken(9 as number)))).code).toBe('noSuchToken'))
})
