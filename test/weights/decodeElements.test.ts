import { describe, expect, it } from 'vitest'
import { decodeElements } from '../../src/weights/decodeElements.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { fixtureBytes, left, right } from './safetensorsFile.js'

const everyHalf = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer)

/** The value of a binary float by its definition (IEEE 754, section 3.4). */
const byDefinition = (bits: number, exponentBits: number, fractionBits: number): number => {
  const fraction = bits % 2 ** fractionBits
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits
  const bias = 2 ** (exponentBits - 1) - 1
  const sign = bits >= 2 ** (exponentBits + fractionBits) ? -1 : 1
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN
  const significand = fraction / 2 ** fractionBits + (exponent === 0 ? 0 : 1)
  return sign * significand * 2 ** (Math.max(exponent, 1) - bias)
}

describe('decoding', () => {
  it.each([['F16', 5, 10], ['BF16', 8, 7]] as const)('gives every %s its value', (dtype, exponentBits, fractionBits) => {
    const target = new Float32Array(65536)
    expect(decodeElements(dtype, everyHalf, target, 0)).toBe(65536)
    const wrong = [...target].filter((value, i) => !Object.is(value, byDefinition(i, exponentBits, fractionBits)))
    expect(wrong).toEqual([])
  })

  it.each(['F16', 'BF16', 'F32'] as const)('keeps the sign and payload of a NaN in %s', (dtype) => {
    const target = new Float32Array(1)
    const bytes = { F16: [0x01, 0xfd], BF16: [0xa0, 0xff], F32: [0x01, 0x00, 0xa0, 0xff] }[dtype]
    decodeElements(dtype, Uint8Array.from(bytes), target, 0)
    expect(new Uint32Array(target.buffer)[0]!.toString(16)).toBe({ F16: 'ffa02000', BF16: 'ffa00000', F32: 'ffa00001' }[dtype])
  })

  it.each(['F32', 'I32'] as const)('gives %s the same with and without copying', (dtype) => {
    const bytes = everyHalf.subarray(4096, 8192)
    const make = (): Float32Array | Int32Array => (dtype === 'F32' ? new Float32Array(1026) : new Int32Array(1026))
    const [copied, decoded] = [make(), make()]
    expect(decodeElements(dtype, bytes, copied, 2, true)).toBe(1024)
    expect(decodeElements(dtype, bytes, decoded, 2, false)).toBe(1024)
    expect(decoded).toEqual(copied)
  })

  it('stops at the first integer that 32 bits cannot hold', () => {
    const i64 = new Uint8Array(BigInt64Array.of(-1n, 2147483647n, -2147483648n, 2147483648n).buffer)
    const target = new Int32Array(4)
    expect(decodeElements('I64', i64, target, 0)).toBe(3)
    expect([...target.subarray(0, 3)]).toEqual([-1, 2147483647, -2147483648])
    for (const value of [-2147483649n, 2n ** 62n, 1n << 32n]) {
      expect(decodeElements('I64', new Uint8Array(BigInt64Array.of(value).buffer), target, 0)).toBe(0)
    }
    expect(decodeElements('U64', new Uint8Array(BigUint64Array.of(2147483647n, 2n ** 63n).buffer), target, 0)).toBe(1)
    expect(decodeElements('U32', new Uint8Array(Uint32Array.of(5, 2147483648).buffer), target, 0)).toBe(1)
  })

  it('reads what Python stored, dtype by dtype', async () => {
    const file = right(parseSafetensors(fixtureBytes('dtypes.safetensors'), 'd'))
    const data = async (name: string): Promise<unknown> => {
      const { dtype, shape, data: values } = right(await file.read(name)())
      return [dtype, shape, [...values]]
    }
    expect(file.metadata).toEqual({ format: 'pt', 'naïve "k"': 'v\n😀' })
    expect(await data('f16')).toEqual(['F16', [5], [1.5, 2 ** -24, 65504, Infinity, -0]])
    expect(await data('bf16')).toEqual(['BF16', [3], [1.5, 3.00405527047391e38, -2]])
    expect(await data('f64')).toEqual(['F64', [1, 2], [Math.fround(1 / 3), 0]])
    expect(await data('i64')).toEqual(['I64', [3], [-1, 2147483647, -2147483648]])
    expect(await data('u8')).toEqual(['U8', [1], [255]])
    expect(await data('i8')).toEqual(['I8', [1], [-128]])
    expect(await data('i16')).toEqual(['I16', [1], [-32768]])
    expect(await data('u16')).toEqual(['U16', [1], [65535]])
    expect(await data('u32')).toEqual(['U32', [1], [5]])
    expect(await data('u64')).toEqual(['U64', [1], [7]])
    expect(await data('bool')).toEqual(['BOOL', [2], [1, 0]])
    expect(await data('scalar')).toEqual(['F32', [], [4.25]])
    expect(await data('empty')).toEqual(['F32', [0, 3], []])
  })

  it('says which element does not fit, and which dtypes are not read', async () => {
    const file = right(parseSafetensors(fixtureBytes('dtypes.safetensors'), 'd'))
    const sentence = async (name: string): Promise<string> => left(await file.read(name)()).sentence
    expect(await sentence('i64big')).toBe('d: element 1 of "i64big" (I64) does not fit in int32')
    expect(await sentence('f64big')).toBe('d: element 0 of "f64big" (F64) does not fit in float32')
    expect(await sentence('u32big')).toBe('d: element 0 of "u32big" (U32) does not fit in int32')
    expect(await sentence('f8')).toBe('d: "f8" is stored as F8_E4M3, which is not read')
    expect(await sentence('c64')).toBe('d: "c64" is stored as C64, which is not read')
  })
})
