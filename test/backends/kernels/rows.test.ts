import { beforeAll, describe, expect, it } from 'vitest'
import { functions, layerNorm, softmax } from './definitions.js'
import { binaries, expectClose, loadBackend, random, run } from './support.js'

const widths = [1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 192, 197, 768]

describe.each(binaries)('row kernels, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  it('layerNorm of every width, with and without gamma and beta', () => {
    for (const width of widths) {
      const x = random([2, 3, width], width, 3)
      for (const gamma of [undefined, random([width], 1)])
        for (const beta of [undefined, random([width], 2)]) {
          const actual = run('VitrailLayerNorm', { x, gamma, beta }, { epsilon: 1e-6 })
          expectClose(actual, layerNorm(x, 1e-6, gamma, beta), 4e-6)
        }
    }
  })

  it('layerNorm of rows with a mean of 1000 is as exact as of any other', () => {
    for (const shift of [1e3, -1e3, 3e4])
      for (const width of [17, 192, 768]) {
        const x = random([5, width], 3, 1, shift)
        expectClose(run('VitrailLayerNorm', { x }, { epsilon: 1e-6 }), layerNorm(x, 1e-6), 4e-6)
      }
  })

  it('layerNorm of constant rows is beta', () => {
    for (const constant of [0, 1, 1000.1, -3e4, 1e-3]) {
      const x = { shape: [2, 197], values: new Float32Array(394).fill(constant) }
      const beta = random([197], 4)
      const expected = { shape: [2, 197], values: Float64Array.from({ length: 394 }, (_, i) => beta.values[i % 197]!) }
      expectClose(run('VitrailLayerNorm', { x, beta }, { epsilon: 1e-12 }), expected, 1e-4)
    }
  })

  it('layerNorm keeps epsilon inside the root', () => {
    const x = { shape: [1, 2], values: Float32Array.of(-1, 1) }
    expectClose(run('VitrailLayerNorm', { x }, { epsilon: 3 }), { shape: [1, 2], values: Float64Array.of(-0.5, 0.5) }, 1e-7)
  })

  it('softmax of every width', () => {
    for (const width of widths) {
      const x = random([2, 3, width], width, 5)
      expectClose(run('VitrailSoftmax', { x }, {}), softmax(x), 3e-7)
      expectClose(run('VitrailSoftmax', { x }, { scale: -0.7 }), softmax(x, -0.7), 3e-7)
    }
  })

  it('softmax of large, equal and masked values', () => {
    for (const shift of [1e4, -1e4, 0]) {
      const x = random([4, 197], 8, 10, shift)
      expectClose(run('VitrailSoftmax', { x }, {}), softmax(x), 3e-7)
    }
    const spread = random([4, 33], 8, 1e4)
    expectClose(run('VitrailSoftmax', { x: spread }, {}), softmax(spread), 3e-7)
    const equal = { shape: [1, 5], values: new Float32Array(5).fill(1e30) }
    expectClose(run('VitrailSoftmax', { x: equal }, {}), { shape: [1, 5], values: new Float64Array(5).fill(0.2) }, 1e-7)
    const masked = { shape: [1, 3], values: Float32Array.of(-Infinity, 0, 0) }
    expect([...run('VitrailSoftmax', { x: masked }, {}).values]).toEqual([0, 0.5, 0.5])
    const poisoned = { shape: [1, 3], values: Float32Array.of(1, Number.NaN, 0) }
    expect([...run('VitrailSoftmax', { x: poisoned }, {}).values]).toEqual([Number.NaN, Number.NaN, Number.NaN])
  })

  it.each(['gelu', 'geluTanh', 'quickGelu', 'silu', 'erf'] as const)('%s over a fine grid and every length', (fn) => {
    const size = 60001
    const grid = { shape: [size], values: Float32Array.from({ length: size }, (_, i) => (i - 30000) / 3000) }
    const expected = { shape: [size], values: Float64Array.from(grid.values, functions[fn]) }
    const tolerance = fn === 'erf' ? 2e-7 : (i: number): number => (fn === 'gelu' ? 6e-7 : 3e-7) * Math.max(1, Math.abs(grid.values[i]!))
    expectClose(run('VitrailUnary', { x: grid }, { fn }), expected, tolerance)
    for (let n = 1; n < 10; n++) {
      const x = random([n], n)
      expectClose(run('VitrailUnary', { x }, { fn }), { shape: [n], values: Float64Array.from(x.values, functions[fn]) }, 5e-7)
    }
  })

  it('unary functions of huge numbers, zeros and NaN', () => {
    const x = { shape: [6], values: Float32Array.of(1e4, -1e4, 0, -0, Number.NaN, -50) }
    for (const fn of ['gelu', 'geluTanh', 'quickGelu', 'silu'] as const) {
      expectClose(run('VitrailUnary', { x }, { fn }), { shape: [6], values: Float64Array.of(1e4, 0, 0, 0, Number.NaN, 0) }, 1e-18)
    }
    expectClose(run('VitrailUnary', { x }, { fn: 'erf' }), { shape: [6], values: Float64Array.of(1, -1, 0, 0, Number.NaN, -1) }, 0)
  })

  it('activations approach 0 below and their argument above, to infinity', () => {
    const x = { shape: [8], values: Float32Array.of(1e12, -1e12, 1e20, -1e20, 3e38, -3e38, Infinity, -Infinity) }
    for (const fn of ['gelu', 'geluTanh', 'quickGelu', 'silu'] as const) {
      expectClose(run('VitrailUnary', { x }, { fn }), { shape: [8], values: x.values.map(v => Math.max(v, 0)) }, 1e-18)
    }
  })

  it('refuses what it cannot do, with a sentence', () => {
    const x = random([2, 3], 1)
    expect(() => run('VitrailUnary', { x }, { fn: 'cosh' })).toThrow('VitrailUnary: no function cosh; there are gelu,')
    expect(() => run('VitrailLayerNorm', { x }, {})).toThrow('epsilon must be a number')
    expect(() => run('VitrailLayerNorm', { x, gamma: x }, { epsilon: 1 })).toThrow('gamma must be [3], but is [2, 3]')
  })
})
