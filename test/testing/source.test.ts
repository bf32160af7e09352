import { describe, expect, it } from 'vitest'
import * as vitrail from '../../src/index.js'
import { encoderBlock, gelu, identity, input, linear, repeat, residual, serial, toJson, type AnyModel, type Json } from '../../src/index.js'
import { defineLayer, type AnyLayer } from '../../src/layers/core/layer.js'
import { model } from '../../src/layers/core/model.js'
import { choicesOf } from '../../src/testing/arbitraries/choices.js'
import { grow } from '../../src/testing/arbitraries/grow.js'
import { layerToSource, toSource } from '../../src/testing/source/toSource.js'
import { apply, samples } from '../layers/samples.js'
import { published } from './published.js'

const pipe = (x: unknown, ...fs: readonly ((x: unknown) => unknown)[]): unknown => fs.reduce((value, f) => f(value), x)

/** What the text of a model builds; its types' own words are left out, as a compiler would. */
const built = (source: string, own: Readonly<Record<string, unknown>> = {}): AnyModel => {
  const body = source.replace(/^import [^']*'.*$/gm, '').replace('export const model =', 'return').replaceAll(' as const)', ')').replaceAll(']!', ']')
  return new Function('scope', `with (scope) { ${body} }`)({ ...vitrail, pipe, ...own }) as AnyModel
}

/** JSON in which blocks that are all the same are told once, and options that are not given not at all. */
const normal = (json: Json): unknown => {
  if (Array.isArray(json)) {
    const [kind, times, block, ...rest] = json as readonly Json[]
    const blocks = kind === 'repeat' && typeof block === 'object' && block !== null && 'blocks' in block ? (block['blocks'] as readonly Json[]) : undefined
    if (blocks?.every(one => JSON.stringify(one) === JSON.stringify(blocks[0])) === true) return normal(['repeat', times!, blocks[0]!, ...rest])
    const parts = json.map(normal)
    while (parts.length > 0 && (parts.at(-1) === undefined || JSON.stringify(parts.at(-1)) === '{}')) parts.pop()
    return parts
  }
  if (typeof json === 'object' && json !== null) return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, normal(value)]))
  return json
}

const told = (m: AnyModel): unknown => normal(toJson(m))
const any = (m: unknown): AnyModel => m as AnyModel

describe('the source of a model builds the same model', () => {
  it.each(samples.map(sample => [sample.text, sample] as const))('%s', (_, sample) => {
    const made = any(apply(sample))
    expect(told(built(toSource(made)))).toEqual(told(made))
  })

  it('for every published recipe', () => {
    for (const [id, m] of published) expect([id, told(built(toSource(m)))]).toEqual([id, told(m)])
  })

  it('for random architectures', () => {
    for (let seed = 0; seed < 150; seed++) {
      const made = grow(choicesOf(seed))
      expect([seed, told(built(toSource(made)))]).toEqual([seed, told(made)])
    }
  })
})

describe('a repeat', () => {
  it('of blocks that are all the same is told by one of them', () => {
    expect(layerToSource(repeat(3, () => linear(4)))).toBe('repeat(3, linear(4))')
  })

  it('of blocks that differ in an option says where', () => {
    expect(layerToSource(repeat(3, index => encoderBlock({ numHeads: 2, dropPath: index / 10 })))).toBe('repeat(3, index => encoderBlock({ numHeads: 2, dropPath: ([0, 0.1, 0.2] as const)[index]! }))')
  })

  it('of blocks of several kinds lists them', () => {
    expect(layerToSource(repeat(2, index => (index === 0 ? gelu() : residual(gelu()))))).toBe('repeat(2, index => ([gelu(), residual(gelu())] as const)[index]!)')
  })

  it('inside another has a number of its own', () => {
    const inner = (i: number) => repeat(2, j => linear(4, { bias: (i + j) % 2 === 0 }))
    const made = any(model({ shape: [4], dtype: 'float32' }, [repeat(2, inner)]))
    expect(told(built(toSource(made)))).toEqual(told(made))
  })
})

describe('what a model says of where its words come from', () => {
  const swish = (beta: number): AnyLayer => defineLayer('swish', swish, [beta], { forward: x => x })
  const mlp = (): AnyLayer => defineLayer('mlp', mlp, [], { forward: x => x })

  it('imports what is used, and leaves a place for a layer of the user', () => {
    const made = any(model({ shape: [4], dtype: 'float32' }, [serial(linear(3), swish(2)), identity()]))
    expect(toSource(made)).toBe(`import { pipe } from 'fp-ts/lib/function.js'
import { identity, input, linear, serial } from 'vitrail'
import { swish } from './your-layers.js' // put in the file that defines them

export const model = pipe(
  input(4),
  serial(linear(3), swish(2)),
  identity(),
)
`)
    expect(told(built(toSource(made), { swish }))).toEqual(told(made))
  })

  it('tells a layer of the user from one of the library that has its name', () => {
    expect(toSource(any(model({ shape: [4], dtype: 'float32' }, [mlp()])))).toContain("import { mlp as ownMlp } from './your-layers.js'")
  })

  it('breaks a pipe that is too long for its types into several', () => {
    const made = any(model(input(4).input, Array.from({ length: 50 }, () => gelu())))
    expect(toSource(made).match(/pipe\(/g)).toHaveLength(3)
    expect(told(built(toSource(made)))).toEqual(told(made))
  })
})
