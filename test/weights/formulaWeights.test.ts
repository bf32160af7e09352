import { describe, expect, it } from 'vitest'
import { fnv1a32 } from '../../src/weights/fnv1a32.js'
import { formulaWeights } from '../../src/weights/formulaWeights.js'
import { mulberry32 } from '../../src/weights/mulberry32.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { fixtureBytes, right } from './safetensorsFile.js'

describe('the weight formula', () => {
  it('hashes as published', () => {
    expect(fnv1a32('')).toBe(2166136261)
    expect(fnv1a32('a')).toBe(3826002220)
    expect(fnv1a32('foobar')).toBe(3214735720)
    expect(fnv1a32('open|blocks.0.attn.qkv.weight')).toBe(2050250898)
  })

  it('hashes UTF-8, not UTF-16', () => {
    let byHand = 0x811c9dc5
    for (const byte of [0xc3, 0xa9]) byHand = Number((BigInt(byHand ^ byte) & 0xffffffffn) * 0x01000193n % 2n ** 32n)
    expect(fnv1a32('é')).toBe(byHand)
  })

  it('draws as published', () => {
    const draw = mulberry32(12345)
    expect([draw(), draw(), draw(), draw(), draw()]).toEqual([4207900869, 1317490944, 2079646450, 3513001552, 2187978186])
  })

  it('gives bit for bit the weights of a reference recording', async () => {
    const file = right(parseSafetensors(fixtureBytes('formula.safetensors')))
    const init = JSON.parse(file.metadata['init'] ?? '') as Record<string, [string, number, number]>
    expect(file.tensors.size).toBe(7)
    for (const name of file.tensors.keys()) {
      const { shape, data } = right(await file.read(name)())
      const [, offset, s] = init[name]!
      expect(formulaWeights(name, shape, offset, s, file.metadata['salt'] ?? '')).toEqual(data)
    }
  })

  it('gives one value for a scalar and none for an empty shape', () => {
    expect(formulaWeights('x', [], 0, 1, '').length).toBe(1)
    expect(formulaWeights('x', [3, 0], 0, 1, '').length).toBe(0)
  })
})
