import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../src/weights/mulberry32.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { fileOf, fixtureBytes, left, right } from './safetensorsFile.js'

const withLength = (low: number, high: number, size = 64): Uint8Array => {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, low, true)
  new DataView(bytes.buffer).setUint32(4, high, true)
  return bytes
}
const entry = (fields: string, dataBytes = 8): Uint8Array => fileOf(`{"a":{${fields}}}`, dataBytes)
const deep = '['.repeat(200_000)

const malformed: ReadonlyArray<readonly [what: string, bytes: Uint8Array, code: string]> = [
  ['an empty file', new Uint8Array(0), 'fileTooShort'],
  ['seven bytes', new Uint8Array(7), 'fileTooShort'],
  ['a header of length 0', withLength(0, 0), 'headerEmpty'],
  ['a header longer than the file', withLength(57, 0), 'headerBeyondFile'],
  ['a header of more than 100 MB', withLength(100_000_001, 0), 'headerTooLong'],
  ['a header of 2^63 bytes', withLength(0, 0x80000000), 'headerTooLong'],
  ['a header of 2^64 - 1 bytes', withLength(0xffffffff, 0xffffffff), 'headerTooLong'],
  ['a header that is not UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), 'headerNotUtf8'],
  ['an overlong UTF-8 sequence', fileOf(Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d)), 'headerNotUtf8'],
  ['a byte order mark', fileOf('\ufeff{}'), 'headerMalformed'],
  ['a leading space', fileOf(' {}'), 'headerMalformed'],
  ['a header that is a list', fileOf('[]'), 'headerMalformed'],
  ['a header that is a text', fileOf('"a"'), 'headerMalformed'],
  ['a header that is null', fileOf('null'), 'headerMalformed'],
  ['an unclosed object', fileOf('{'), 'headerNotJson'],
  ['an unclosed text', fileOf('{"a'), 'headerNotJson'],
  ['a text that ends in a backslash', fileOf('{"a\\'), 'headerNotJson'],
  ['a missing colon', fileOf('{"a" {}}'), 'headerNotJson'],
  ['a trailing comma', fileOf('{"__metadata__":{},}'), 'headerNotJson'],
  ['a key that is a number', fileOf('{1:{}}'), 'headerNotJson'],
  ['text after the object', fileOf('{} x'), 'headerNotJson'],
  ['a NUL after the object', fileOf('{}\0'), 'headerNotJson'],
  ['a bad escape', fileOf('{"\\x":{}}'), 'headerNotJson'],
  ['a raw newline in a text', fileOf('{"a\nb":{}}'), 'headerNotJson'],
  ['a lone surrogate', fileOf('{"\\ud800":{}}'), 'headerNotJson'],
  ['deep nesting in place of an entry', fileOf(`{"a":${deep}}`), 'headerMalformed'],
  ['deep nesting in a shape', entry(`"dtype":"F32","shape":${deep}`), 'shapeMalformed'],
  ['deep nesting of objects', fileOf('{"a":'.repeat(100_000)), 'headerMalformed'],
  ['a tensor twice', fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), 'duplicateKey'],
  ['a tensor twice, once escaped', fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), 'duplicateKey'],
  ['__metadata__ twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), 'duplicateKey'],
  ['a metadata key twice', fileOf('{"__metadata__":{"k":"1","k":"2"}}'), 'duplicateKey'],
  ['a field twice', entry('"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]'), 'duplicateKey'],
  ['an entry that is a number', fileOf('{"a":1}'), 'headerMalformed'],
  ['an unknown field', entry('"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1'), 'headerMalformed'],
  ['no dtype', entry('"shape":[8],"data_offsets":[0,8]'), 'headerMalformed'],
  ['no shape', entry('"dtype":"U8","data_offsets":[0,8]'), 'headerMalformed'],
  ['no offsets', entry('"dtype":"U8","shape":[8]'), 'headerMalformed'],
  ['an unknown dtype', entry('"dtype":"F31","shape":[2],"data_offsets":[0,8]'), 'dtypeUnknown'],
  ['a dtype named like an inherited property', entry('"dtype":"toString","shape":[2],"data_offsets":[0,8]'), 'dtypeUnknown'],
  ['a dtype that is a number', entry('"dtype":4,"shape":[2],"data_offsets":[0,8]'), 'headerMalformed'],
  ['a negative size', entry('"dtype":"F32","shape":[-2],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['minus zero', entry('"dtype":"F32","shape":[-0],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a fractional size', entry('"dtype":"F32","shape":[1.5],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a size with an exponent', entry('"dtype":"F32","shape":[1e1],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a size with a leading zero', entry('"dtype":"F32","shape":[02],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a size of 2^53', entry('"dtype":"F32","shape":[9007199254740992],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a size with a million digits', entry(`"dtype":"F32","shape":[${'9'.repeat(1_000_000)}],"data_offsets":[0,8]`), 'shapeMalformed'],
  ['a size that is a text', entry('"dtype":"F32","shape":["2"],"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a shape that is a number', entry('"dtype":"F32","shape":2,"data_offsets":[0,8]'), 'shapeMalformed'],
  ['a shape of a million axes', entry(`"dtype":"F32","shape":[${'1,'.repeat(1_000_000)}1],"data_offsets":[0,4]`), 'shapeMalformed'],
  ['a shape whose product overflows', entry('"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]'), 'sizeOverflow'],
  ['a shape whose product overflows before a zero', entry('"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,8]'), 'sizeOverflow'],
  ['a negative offset', entry('"dtype":"U8","shape":[8],"data_offsets":[-8,0]'), 'offsetsMalformed'],
  ['a fractional offset', entry('"dtype":"U8","shape":[8],"data_offsets":[0,8.0]'), 'offsetsMalformed'],
  ['an unsafe offset', entry('"dtype":"U8","shape":[8],"data_offsets":[0,18446744073709551615]'), 'offsetsMalformed'],
  ['one offset', entry('"dtype":"U8","shape":[8],"data_offsets":[8]'), 'offsetsMalformed'],
  ['three offsets', entry('"dtype":"U8","shape":[8],"data_offsets":[0,8,8]'), 'offsetsMalformed'],
  ['an end before the begin', entry('"dtype":"U8","shape":[0],"data_offsets":[8,0]'), 'offsetsBackwards'],
  ['an end beyond the data', entry('"dtype":"U8","shape":[9],"data_offsets":[0,9]'), 'offsetsBeyondData'],
  ['a terabyte that is not there', entry('"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]'), 'offsetsBeyondData'],
  ['a size that differs from shape and dtype', entry('"dtype":"F32","shape":[3],"data_offsets":[0,8]'), 'sizeMismatch'],
  ['a packed dtype that does not fill its bytes', entry('"dtype":"F4","shape":[3],"data_offsets":[0,2]', 2), 'sizeMismatch'],
  ['overlapping tensors', fileOf('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}', 7), 'tensorsOverlap'],
  ['the same bytes twice', fileOf('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', 4), 'tensorsOverlap'],
  ['a hole at the start', entry('"dtype":"U8","shape":[4],"data_offsets":[4,8]'), 'dataHole'],
  ['a hole between', fileOf('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}', 9), 'dataHole'],
  ['bytes left over', entry('"dtype":"U8","shape":[4],"data_offsets":[0,4]'), 'dataHole'],
  ['data without a tensor', fileOf('{}', 1), 'dataHole'],
  ['metadata that is a number', fileOf('{"__metadata__":1}'), 'headerMalformed'],
  ['a metadata value that is a number', fileOf('{"__metadata__":{"k":1}}'), 'metadataNotText'],
  ['a metadata value that is an object', fileOf('{"__metadata__":{"k":{}}}'), 'metadataNotText'],
  ['a metadata value that is null', fileOf('{"__metadata__":{"k":null}}'), 'metadataNotText'],
]

describe('a malformed safetensors file', () => {
  it.each(malformed)('with %s is a Problem', (_, bytes, code) => {
    const found = left(parseSafetensors(bytes, 'bad.safetensors'))
    expect(found.code).toBe(code)
    expect(found.sentence).toMatch(/^bad\.safetensors: /)
    expect(found.sentence.length).toBeLessThan(400)
  })

  it('cannot write control characters to a terminal through its names', () => {
    const found = left(parseSafetensors(fileOf('{"\\u001b[2J\\u009b":{"dtype":"\\u202e"}}'), 'x'))
    expect(found.sentence).toBe('x: "\\u001b[2J\\u009b" has the unknown dtype "\\u202e"')
  })
})

describe('a safetensors file', () => {
  it('may be empty, and its header padded', () => {
    const file = right(parseSafetensors(fileOf('{} \t\r\n  ')))
    expect(file.tensors.size).toBe(0)
    expect(file.metadata).toEqual({})
  })

  it('keeps __proto__ and constructor as ordinary names', async () => {
    const header = '{"__metadata__":{"__proto__":"m","constructor":"c"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    const file = right(parseSafetensors(fileOf(header, 1)))
    expect(Object.entries(file.metadata)).toEqual([['__proto__', 'm'], ['constructor', 'c']])
    expect(file.metadata['toString']).toBeUndefined()
    expect([...file.tensors.keys()]).toEqual(['__proto__'])
    expect(right(await file.read('__proto__')()).data).toEqual(Int32Array.of(0))
    expect(left(await file.read('constructor')()).code).toBe('tensorMissing')
  })

  it('lists its tensors in the order of the data, tensors without elements included', () => {
    const header = '{"b":{"data_offsets":[4,8],"shape":[],"dtype":"F32"},"e":{"dtype":"F32","shape":[0,9],"data_offsets":[4,4]},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}'
    expect([...right(parseSafetensors(fileOf(header, 8))).tensors.keys()]).toEqual(['a', 'e', 'b'])
  })

  it('is read at any alignment of its bytes', async () => {
    const shifted = new Uint8Array(fixtureBytes('encoded.safetensors').length + 1)
    shifted.set(fixtureBytes('encoded.safetensors'), 1)
    const file = right(parseSafetensors(shifted.subarray(1)))
    const straight = right(parseSafetensors(fixtureBytes('encoded.safetensors')))
    for (const name of file.tensors.keys()) {
      expect(right(await file.read(name)())).toEqual(right(await straight.read(name)()))
    }
  })

  it('is read in milliseconds when its header is large', () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
    const start = performance.now()
    expect(right(parseSafetensors(fileOf(`{${entries.join(',')}}`))).tensors.size).toBe(20_000)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('never makes the reader throw, whatever is corrupted in it', async () => {
    const sources = ['dtypes.safetensors', 'encoded.safetensors'].map(fixtureBytes)
    const draw = mulberry32(20260101)
    const below = (bound: number): number => draw() % bound
    const scraps = ['{', '}', '[', ']', ',', ':', '"', '\\', '-', '1e9', '0', '99999999999999999999', 'null', '"F32"', '"F64"', '\\ud800', ' ', '\0', '"__metadata__"', '"shape"']
    let accepted = 0
    for (let round = 0; round < 4000; round++) {
      const bytes = corrupt(sources[below(sources.length)]!, below, scraps)
      const file = parseSafetensors(bytes, 'f')
      if (E.isLeft(file)) {
        expect(file.left.sentence.length).toBeLessThan(500)
        continue
      }
      accepted++
      // What is accepted must agree with an independent reading of the header, and cover the data exactly.
      const length = new DataView(bytes.buffer).getUint32(0, true)
      const json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, { shape: number[], data_offsets: number[] }>
      let covered = 0
      for (const [name, { begin, end, shape }] of file.right.tensors) {
        expect([json[name]?.data_offsets, json[name]?.shape]).toEqual([[begin, end], shape])
        expect(begin).toBe(covered)
        covered = end
        expect(['Left', 'Right']).toContain((await file.right.read(name)())._tag)
      }
      expect(8 + length + covered).toBe(bytes.length)
    }
    expect(accepted).toBeGreaterThan(50)
  })
})

/** One to three random damages, mostly to the header. */
const corrupt = (source: Uint8Array, below: (bound: number) => number, scraps: readonly string[]): Uint8Array => {
  let bytes: Uint8Array = source.slice()
  const header = new DataView(bytes.buffer).getUint32(0, true)
  for (let times = 1 + below(3); times > 0; times--) {
    const at = 8 + below(Math.min(header, bytes.length - 8))
    switch (below(6)) {
      case 0: bytes[at] = below(256); break
      case 1: bytes[below(8)] = below(256); break
      case 2: bytes = bytes.slice(0, 8 + below(bytes.length - 7)); if (bytes.length < 10) return bytes; break
      case 3: bytes = replaced(bytes, at, below(4), scraps[below(scraps.length)]!); break
      case 4: bytes = replaced(bytes, at, below(40), ''); break
      default: { // a digit for a digit, so that many corruptions get past the scanner
        const digit = bytes.findIndex((byte, i) => i >= at && byte >= 48 && byte <= 57)
        if (digit >= 0) bytes[digit] = 48 + below(10)
      }
    }
  }
  return bytes
}

/** Replaces bytes of the header and corrects its length. */
const replaced = (bytes: Uint8Array, at: number, count: number, scrap: string): Uint8Array => {
  const text = new TextEncoder().encode(scrap)
  const result = new Uint8Array([...bytes.subarray(0, at), ...text, ...bytes.subarray(at + count)])
  const view = new DataView(result.buffer)
  view.setUint32(0, view.getUint32(0, true) + text.length - count, true)
  return result
}
