import { beforeAll, describe, expect, it } from 'vitest'
import { broadcastTo, erf } from './definitions.js'
import { binaries, expectClose, loadBackend, random, run } from './support.js'

/** Each function in float64, and how far a result may be from it: a part of it, and a part of one. */
const functions: Readonly<Record<string, readonly [(x: number) => number, number, number]>> = {
  exp: [Math.exp, 5e-7, 2e-38],
  log: [Math.log, 2e-7, 1e-7],
  sqrt: [Math.sqrt, 6e-8, 0],
  rsqrt: [x => 1 / Math.sqrt(x), 2e-7, 0],
  tanh: [Math.tanh, 3e-7, 1e-37],
  sigmoid: [x => 1 / (1 + Math.exp(-x)), 6e-7, 1e-37],
  step: [x => (x > 0 ? 1 : x <= 0 ? 0 : Number.NaN), 0, 0],
  square: [x => x * x, 6e-8, 1e-37],
  cube: [x => x ** 3, 2e-7, 1e-37],
  reciprocal: [x => 1 / x, 6e-8, 1e-37],
  erf: [erf, 5e-7, 1e-37],
}

const grids = [
  Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 100),
  Float32Array.from({ length: 1001 }, (_, i) => (i - 500) / 5),
  Float32Array.from({ length: 601 }, (_, i) => 10 ** ((i - 300) / 10)),
  Float32Array.from({ length: 601 }, (_, i) => -(10 ** ((i - 300) / 10))),
]

describe.each(binaries)('elementwise kernels, $name', ({ relaxedSimd }) => {
  beforeAll(async () => void (await loadBackend(relaxedSimd)))

  it.each(Object.keys(functions))('%s over fine grids and every length', name => {
    const [fn, relative, absolute] = functions[name]!
    for (const values of [...grids, ...[1, 2, 3, 5, 7, 9, 1023, 1025].map(n => grids[0]!.slice(2000, 2000 + n))]) {
      const expected = Float64Array.from(values, fn)
      expectClose(run('VitrailUnary', { x: { shape: [values.length], values } }, { fn: name }), { shape: [values.length], values: expected.map(y => (Math.abs(y) > 3.4028235e38 ? y * Infinity : y)) }, i => Math.abs(expected[i]!) * relative + absolute + Number.MIN_VALUE)
    }
  })

  it('infinities, zeros and NaN are what they are in IEEE 754', () => {
    const values = Float32Array.of(0, -0, Infinity, -Infinity, Number.NaN, 1e-40, 3e38, -3e38)
    for (const name of ['log', 'sqrt', 'step', 'square', 'cube', 'reciprocal']) {
      const [fn] = functions[name]!
      const { values: got } = run('VitrailUnary', { x: { shape: [8], values } }, { fn: name })
      values.forEach((x, i) => {
        const should = Math.fround(fn(x))
        if (Number.isNaN(should) || !Number.isFinite(should) || should === 0) expect(got[i], `${name}(${x})`).toBe(should)
      })
    }
    const ends = { shape: [3], values: Float32Array.of(-Infinity, Infinity, Number.NaN) }
    expect([...run('VitrailUnary', { x: ends }, { fn: 'exp' }).values]).toEqual([0, Infinity, Number.NaN])
    expect([...run('VitrailUnary', { x: ends }, { fn: 'tanh' }).values]).toEqual([-1, 1, Number.NaN])
    expect([...run('VitrailUnary', { x: ends }, { fn: 'sigmoid' }).values]).toEqual([0, 1, Number.NaN].map(x => (x === 0 ? expect.closeTo(0, 30) : x)))
  })

  it.each([['add', (a, b) => a + b], ['subtract', (a, b) => a - b], ['multiply', (a, b) => a * b], ['divide', (a, b) => a / b], ['maximum', Math.max], ['minimum', Math.min]] as readonly (readonly [string, (a: number, b: number) => number])[])('%s, however the shapes meet', (fn, f) => {
    const shapes: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
      [[7], [7], [7]], [[3, 1500], [3, 1500], [3, 1500]], [[3, 5], [], [3, 5]], [[], [2, 9], [2, 9]], [[4, 6, 5], [5], [4, 6, 5]], [[2, 3, 8], [2, 1, 1], [2, 3, 8]],
      [[3, 1], [1, 5], [3, 5]], [[2, 1, 4, 1], [1, 3, 1, 5], [2, 3, 4, 5]], [[1, 2, 1, 2, 1, 2, 1, 2], [2, 1, 2, 1, 2, 1, 2, 1], [2, 2, 2, 2, 2, 2, 2, 2]], [[1, 1], [1], [1, 1]], [[2, 2100], [2, 1], [2, 2100]],
    ]
    for (const [left, right, shape] of shapes) {
      const [a, b] = [random(left, 1), random(right, 2, 1, 3)]
      const [x, y] = [broadcastTo(a, shape).values, broadcastTo(b, shape).values]
      expectClose(run('VitrailBinary', { a, b }, { fn }), { shape, values: Float32Array.from(x, (value, i) => f(value, y[i]!)) }, 0)
    }
    const [a, b] = [{ shape: [3], values: Float32Array.of(Number.NaN, 1, 2) }, { shape: [3], values: Float32Array.of(1, Number.NaN, 2) }]
    expect([...run('VitrailBinary', { a, b }, { fn }).values].map(Number.isNaN)).toEqual([true, true, false])
  })

  it('refuses shapes that do not meet, and functions there are not', () => {
    const [a, b] = [random([2, 3], 1), random([2, 4], 2)]
    expect(() => run('VitrailBinary', { a, b }, { fn: 'add' })).toThrow('do not broadcast: [2, 3] and [2, 4]')
    expect(() => run('VitrailBinary', { a, b: a }, { fn: 'modulo' })).toThrow('no function modulo')
  })
})
