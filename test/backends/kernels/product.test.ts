import { beforeAll, describe, expect, it } from 'vitest'
import { functions, matMul } from './definitions.js'
import { binaries, expectClose, loadBackend, random, run, type Dense } from './support.js'

const sizes = [1, 2, 3, 5, 7, 8, 9, 17]
const triples = [
  ...sizes.flatMap((m) => sizes.flatMap((k) => sizes.map((n) => [m, k, n] as const))),
  [197, 192, 40], [4, 1, 8], [5, 513, 9], [33, 1030, 12], [257, 5, 17], [520, 3, 11], [1, 600, 100], [197, 64, 197],
] as const

describe.each(binaries)('matrix products, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  it('packs [K, N] and [N, K] into panels of eight columns, zeros beyond N', () => {
    for (const [, k, n] of triples) {
      const w = random([k, n], k + n)
      const transposed = { shape: [n, k], values: Float32Array.from({ length: n * k }, (_, i) => w.values[(i % k) * n + Math.floor(i / k)]!) }
      const panels = Math.ceil(n / 8)
      const expected = Float64Array.from({ length: panels * k * 8 }, (_, i) => {
        const column = Math.floor(i / (8 * k)) * 8 + (i % 8)
        return column < n ? w.values[(Math.floor(i / 8) % k) * n + column]! : 0
      })
      expectClose(run('VitrailPack', { w }, { transposed: false }), { shape: [panels, k, 8], values: expected }, 0)
      expectClose(run('VitrailPack', { w: transposed }, { transposed: true }), { shape: [panels, k, 8], values: expected }, 0)
    }
  })

  it('multiplies every small shape, and shapes that cross the blocks', () => {
    for (const [m, k, n] of triples) {
      const x = random([m, k], m * 31 + k)
      const w = random([k, n], n)
      const packed = run('VitrailPack', { w }, { transposed: false })
      const expected = matMul(x, w)
      expectClose(run('VitrailLinear', { x, packed }, { n, activation: 'none' }), expected, within(expected))
    }
  })

  it.each(['none', 'gelu', 'geluTanh', 'quickGelu', 'relu', 'silu'] as const)('applies bias, %s and residual', (activation) => {
    for (const [m, k, n] of [[1, 1, 1], [3, 5, 7], [4, 8, 8], [9, 17, 23], [197, 33, 40], [6, 1100, 13]] as const) {
      const x = random([2, m, k], m)
      const w = random([k, n], n, 0.5)
      const packed = run('VitrailPack', { w }, { transposed: false })
      const product = matMul(x, w)
      for (const bias of [undefined, random([n], 5)]) {
        for (const residual of [undefined, random([2, m, n], 6)]) {
          const values = product.values.map(
            (y, i) => functions[activation](y + (bias?.values[i % n] ?? 0)) + (residual?.values[i] ?? 0),
          )
          const actual = run('VitrailLinear', { x, packed, bias, residual }, { n, activation })
          expectClose(actual, { shape: [2, m, n], values }, (i) => within(product)(i) * 1.2 + 1e-6)
        }
      }
    }
  })

  it.each([[false, false], [false, true], [true, false], [true, true]])('matMul, transposeA %s, transposeB %s', (transposeA, transposeB) => {
    const matrix = (lead: readonly number[], rows: number, columns: number, flip: boolean, seed: number): Dense =>
      random([...lead, ...(flip ? [columns, rows] : [rows, columns])], seed)
    const leads: [number[], number[]][] = [
      [[], []], [[3], [3]], [[3], []], [[], [3]], [[1], [4]], [[4], [1]], [[2, 3], [2, 3]],
      [[2, 1], [1, 3]], [[2, 3], [3]], [[1, 3], [2, 1]], [[2, 3], [1, 1]],
    ]
    for (const [leadA, leadB] of leads) {
      for (const [m, k, n] of [[1, 1, 1], [2, 3, 5], [7, 9, 17], [8, 4, 8], [17, 1, 9], [5, 64, 3], [33, 20, 30]] as const) {
        const a = matrix(leadA, m, k, transposeA, m + 1)
        const b = matrix(leadB, k, n, transposeB, n + 2)
        const expected = matMul(a, b, transposeA, transposeB)
        expectClose(run('VitrailMatMul', { a, b }, { transposeA, transposeB }), expected, within(expected))
      }
    }
    const [a, b] = [matrix([], 300, 700, transposeA, 1), matrix([2], 700, 21, transposeB, 2)]
    const expected = matMul(a, b, transposeA, transposeB)
    expectClose(run('VitrailMatMul', { a, b }, { transposeA, transposeB }), expected, within(expected))
  })

  it('keeps a sum over no terms at zero, and products of no rows empty', () => {
    const none = (...shape: number[]): Dense => ({ shape, values: new Float32Array() })
    expect(run('VitrailMatMul', { a: none(3, 0), b: none(0, 5) }, {}).values).toEqual(new Float32Array(15))
    expect(run('VitrailMatMul', { a: none(0, 4), b: random([4, 5], 1) }, {}).shape).toEqual([0, 5])
    const packed = run('VitrailPack', { w: none(0, 3) }, {})
    const bias = random([3], 2)
    expect(run('VitrailLinear', { x: none(1, 0), packed, bias }, { n: 3 }).values).toEqual(bias.values)
  })

  it('lets infinities and NaN through where they belong', () => {
    const x = { shape: [2, 2], values: Float32Array.of(Infinity, 1, Number.NaN, 1) }
    const w = { shape: [2, 1], values: Float32Array.of(1, 1) }
    const packed = run('VitrailPack', { w }, {})
    expect([...run('VitrailLinear', { x, packed }, { n: 1 }).values]).toEqual([Infinity, Number.NaN])
  })

  it('refuses operands that do not fit, with a sentence', () => {
    const x = random([2, 3], 1)
    const packed = run('VitrailPack', { w: random([3, 5], 2) }, {})
    expect(() => run('VitrailLinear', { x, packed }, { n: 9 })).toThrow('VitrailLinear: packed must be [2, 3, 8], but is [1, 3, 8]')
    expect(() => run('VitrailLinear', { x, packed, bias: x }, { n: 5 })).toThrow('bias must be [5]')
    expect(() => run('VitrailLinear', { x, packed }, { n: 5, activation: 'mish' })).toThrow('no function mish')
    expect(() => run('VitrailLinear', { packed }, { n: 5 })).toThrow('the input x is missing')
    expect(() => run('VitrailMatMul', { a: x, b: x }, {})).toThrow('a has 3 along the shared axis, b has 2')
    expect(() => run('VitrailMatMul', { a: random([2, 2, 2], 1), b: random([3, 2, 2], 1) }, {})).toThrow('do not broadcast')
  })
})

/** A few units in the last place of the sum of absolute products, which is what rounding scales with. */
const within = ({ magnitude }: { magnitude: Float64Array }) => (i: number): number => 2e-6 * (magnitude[i] ?? 0) + 1e-30
