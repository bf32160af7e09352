import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeElements } from '../../src/weights/encodeElements.js'
import type { TensorToStore } from '../../src/weights/encodedLayout.js'
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { fixtureBytes, left, right } from './safetensorsFile.js'

const storable = fc.oneof(fc.constantFrom('__proto__', 'constructor', '0', '10', '9', 'a.b', '\uffee', '😀', ' '), fc.string({ unit: 'binary' }))
  .filter((name) => name !== '__metadata__' && !/\p{Surrogate}/u.test(name))
const tensor = fc.tuple(storable, fc.array(fc.nat(4), { maxLength: 4 }), fc.constantFrom('F32', 'I32', 'I64', undefined))
  .chain(([name, shape, dtype]): fc.Arbitrary<TensorToStore> => {
    const count = shape.reduce((product, size) => product * size, 1)
    const size = { minLength: count, maxLength: count }
    return dtype === 'I32' || dtype === 'I64'
      ? fc.int32Array(size).map((data) => ({ name, shape, data, dtype }))
      : fc.float32Array(size).map((data) => ({ name, shape, data, ...(dtype === undefined ? {} : { dtype }) }))
  })
const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 8 })
const metadata = fc.dictionary(storable, storable, { maxKeys: 4 })

describe('encoding', () => {
  it('gives back what went in', async () => {
    await fc.assert(fc.asyncProperty(tensors, metadata, async (stored, texts) => {
      const file = right(parseSafetensors(right(encodeSafetensors(stored, texts))))
      expect({ ...file.metadata }).toEqual({ ...texts })
      expect(file.tensors.size).toBe(stored.length)
      for (const { name, shape, data, dtype } of stored) {
        const read = right(await file.read(name)())
        expect(read.shape).toEqual(shape)
        expect(read.dtype).toBe(dtype ?? 'F32')
        expect(read.data).toEqual(data)
      }
    }), { seed: 7, numRuns: 400 })
  })

  it('does not depend on the order of the tensors or the metadata', () => {
    fc.assert(fc.property(tensors, metadata, (stored, texts) => {
      const reversed = Object.fromEntries(Object.entries(texts).reverse())
      expect(encodeSafetensors([...stored].reverse(), reversed)).toEqual(encodeSafetensors(stored, texts))
    }), { seed: 8, numRuns: 200 })
  })

  it('starts the data, and every tensor, at a multiple of its element size', () => {
    fc.assert(fc.property(tensors, metadata, (stored, texts) => {
      const bytes = right(encodeSafetensors(stored, texts))
      expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0)
      for (const { begin, dtype } of right(parseSafetensors(bytes)).tensors.values()) {
        expect(begin % (dtype === 'I64' ? 8 : 4)).toBe(0)
      }
    }), { seed: 9, numRuns: 200 })
  })

  it('gives the bytes that Python gives', async () => {
    const bytes = fixtureBytes('encoded.safetensors')
    const file = right(parseSafetensors(bytes))
    const stored = await Promise.all([...file.tensors.keys()].reverse().map(async (name): Promise<TensorToStore> => {
      const { dtype, shape, data } = right(await file.read(name)())
      return data instanceof Float32Array ? { name, shape, data } : { name, shape, data, dtype: dtype === 'I64' ? 'I64' : 'I32' }
    }))
    expect(right(encodeSafetensors(stored, file.metadata))).toEqual(bytes)
  })

  it('gives the same bytes with and without sharing memory', () => {
    const data = Float32Array.of(1, -0, NaN, 1e-45, Infinity)
    expect(encodeElements(data, 'F32', 1, 5, false)).toEqual(encodeElements(data, 'F32', 1, 5, true))
    expect(encodeElements(Int32Array.of(9, -2), 'I64', 1, 2)).toEqual(Uint8Array.of(254, 255, 255, 255, 255, 255, 255, 255))
  })

  it('refuses what the format cannot hold', () => {
    const data = new Float32Array(2)
    const code = (stored: readonly TensorToStore[], texts: Record<string, string> = {}): string => left(encodeSafetensors(stored, texts)).code
    expect(code([{ name: 'a', shape: [2], data }, { name: 'a', shape: [2], data }])).toBe('duplicateKey')
    expect(code([{ name: '__metadata__', shape: [2], data }])).toBe('nameNotStorable')
    expect(code([{ name: '\ud800', shape: [2], data }])).toBe('nameNotStorable')
    expect(code([{ name: 'a', shape: [3], data }])).toBe('sizeMismatch')
    expect(code([{ name: 'a', shape: [-1, -2], data }])).toBe('shapeMalformed')
    expect(code([{ name: 'a', shape: [0.5, 4], data }])).toBe('shapeMalformed')
    expect(code([{ name: 'a', shape: [2], data, dtype: 'I32' } as unknown as TensorToStore])).toBe('dtypeNotStored')
    expect(code([], { a: 1 } as unknown as Record<string, string>)).toBe('metadataNotText')
    expect(code([], { a: '\udc00' })).toBe('metadataNotText')
    expect(code([], { a: 'x'.repeat(100_000_000) })).toBe('headerTooLong')
  })
})
