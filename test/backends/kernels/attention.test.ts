import { beforeAll, describe, expect, it } from 'vitest'
import { attention, gather } from './definitions.js'
import { binaries, expectClose, loadBackend, random, run } from './support.js'

const tokens = [1, 2, 3, 5, 7, 9, 17, 49]
const headDims = [1, 3, 8, 12, 64]

describe.each(binaries)('attention, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  it('any numbers of queries, keys and channels of a head', () => {
    for (const queries of tokens)
      for (const keys of tokens)
        for (const d of headDims) {
          const [q, k, v] = [random([2, queries, d], 1), random([2, keys, d], 2), random([2, keys, d], 3)]
          const actual = run('VitrailAttention', { q, k, v }, { scale: d ** -0.5 })
          expectClose(actual, attention(q, k, v, d ** -0.5), 2e-6)
        }
  })

  it('the 197 tokens of a vision transformer, in a batch', () => {
    const shape = [2, 3, 197, 64]
    const [q, k, v] = [random(shape, 4), random(shape, 5), random(shape, 6)]
    expectClose(run('VitrailAttention', { q, k, v }, { scale: 0.125 }), attention(q, k, v, 0.125), 2e-6)
  })

  it('a bias for each image, for all images, for all heads, for all queries', () => {
    for (const [queries, keys] of [[5, 7], [8, 8], [17, 9], [1, 3], [12, 50]] as const) {
      const [q, k, v] = [random([2, 3, queries, 8], 1), random([2, 3, keys, 8], 2), random([2, 3, keys, 8], 3)]
      for (const shape of [[2, 3, queries, keys], [2, 1, queries, keys], [3, queries, keys], [1, queries, keys], [2, 1, 1, keys], [1, 3, 1, keys]]) {
        const bias = random(shape, 9, 2)
        expectClose(run('VitrailAttention', { q, k, v, bias }, { scale: 0.3 }), attention(q, k, v, 0.3, bias), 2e-6)
      }
    }
  })

  it('broadcast leading axes, such as the windows of an image with one bias for each window', () => {
    const [q, k, v] = [random([2, 4, 3, 9, 8], 1), random([4, 3, 9, 8], 2), random([1, 4, 3, 9, 8], 3)]
    const bias = random([4, 1, 9, 9], 4)
    expectClose(run('VitrailAttention', { q, k, v, bias }, { scale: 0.3 }), attention(q, k, v, 0.3, bias), 2e-6)
  })

  it('huge scores, and keys masked away by -Infinity', () => {
    const [q, k, v] = [random([1, 9, 8], 1, 100), random([1, 11, 8], 2, 100), random([1, 11, 8], 3)]
    expectClose(run('VitrailAttention', { q, k, v }, { scale: 1 }), attention(q, k, v, 1), 1e-3)
    const bias = { shape: [1, 1, 11], values: Float32Array.from({ length: 11 }, (_, i) => (i < 4 ? 0 : -Infinity)) }
    const first = (x: typeof k): typeof k => gather(x, [1, 4, 8], [0, 8, 1], 0)
    const small = random([1, 9, 8], 1)
    expectClose(run('VitrailAttention', { q: small, k, v, bias }, { scale: 0.01 }), attention(small, first(k), first(v), 0.01), 2e-6)
  })

  it('packed queries, keys and values, without a transpose', () => {
    for (const n of [1, 2, 5, 17, 50])
      for (const numHeads of [1, 3])
        for (const d of headDims) {
          const c = numHeads * d
          const qkv = random([2, n, 3 * c], n + d)
          const part = (i: number) => gather(qkv, [2, numHeads, n, d], [n * 3 * c, d, 3 * c, 1], i * c)
          const heads = attention(part(0), part(1), part(2), d ** -0.5)
          const expected = gather(heads, [2, n, numHeads, d], [n * c, d, n * d, 1], 0)
          const actual = run('VitrailPackedAttention', { qkv }, { numHeads, scale: d ** -0.5 })
          expectClose(actual, { shape: [2, n, c], values: expected.values }, 2e-6)
        }
  })

  it('refuses operands that do not fit, with a sentence', () => {
    const [q, k] = [random([2, 5, 8], 1), random([2, 6, 8], 2)]
    expect(() => run('VitrailAttention', { q, k, v: q }, { scale: 1 })).toThrow('v must be [2, 6, 8], but is [2, 5, 8]')
    expect(() => run('VitrailAttention', { q, k, v: k, bias: q }, { scale: 1 })).toThrow('the bias does not broadcast to [2, 5, 6]')
    expect(() => run('VitrailAttention', { q, k, v: k }, {})).toThrow('scale must be a number')
    expect(() => run('VitrailPackedAttention', { qkv: q }, { numHeads: 3, scale: 1 })).toThrow('but is [2, 5, 8]')
  })
})
