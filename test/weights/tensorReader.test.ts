import { expect, it } from 'vitest'
import type { TensorEntry } from '../../src/weights/safetensors.js'
import { tensorReader } from '../../src/weights/tensorReader.js'
import { right } from './safetensorsFile.js'

const stored = (dtype: 'F32' | 'BF16', bytes: number): ReadonlyMap<string, TensorEntry> => new Map([['x', { name: 'x', dtype, shape: [6 << 20], begin: 0, end: bytes }]])

it('floats are read where they stay, chunk by chunk; what has to be decoded is not', async () => {
  const places: (Uint8Array | undefined)[] = []
  const read = tensorReader(stored('F32', 24 << 20), async (at, length, into) => {
    places.push(into)
    return into!.fill(at >> 20, 0, length)
  }, 'file')
  const { data } = right(await read('x')())
  expect(places.map(place => [place?.buffer === data.buffer, place?.byteOffset, place?.length])).toEqual([0, 4, 8, 12, 16, 20].map(mebi => [true, mebi << 20, 4 << 20]))
  expect([0, 6, 21].map(mebi => new Uint8Array(data.buffer)[mebi << 20])).toEqual([0, 4, 20])

  const half = tensorReader(stored('BF16', 12 << 20), async (_, length, into) => {
    expect(into).toBeUndefined()
    return new Uint8Array(length).fill(0x3f)
  }, 'file')
  expect(new Set(right(await half('x')()).data)).toEqual(new Set([new Float32Array(Uint32Array.of(0x3f3f0000).buffer)[0]]))
})
