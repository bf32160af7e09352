import fc from 'fast-check'
import { gelus } from '../../../src/testing/oracles/activations.js'
import { at, each, numbers, type Numbers } from '../../../src/testing/oracles/numbers.js'
import { broadcastPairs, list, shapes, size, subject, type Kind, type Subject } from '../subject.js'

/** The shape of two together, and their elements at a place of it. */
const broadcast = (a: Numbers, b: Numbers, f: (x: number, y: number) => number): Numbers => {
  const rank = Math.max(a.shape.length, b.shape.length)
  const sizes = (x: Numbers): readonly number[] => [...Array<number>(rank - x.shape.length).fill(1), ...x.shape]
  const read = (x: Numbers, place: readonly number[]): number => at(x, ...place.slice(rank - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i)))
  return numbers(sizes(a).map((n, axis) => Math.max(n, sizes(b)[axis]!)), (...place) => f(read(a, place), read(b, place)))
}

const pairwise = (name: string, f: (x: number, y: number) => number, more: { readonly domain?: (x: number) => number; readonly smooth?: boolean; readonly kinds?: readonly Kind[]; readonly maxRank?: number; readonly code?: string } = {}): Subject =>
  subject(
    `tf.${name}`,
    broadcastPairs(more.maxRank ?? 4).map(pair => ({ shapes: pair, code: more.code ?? `tf.${name}(a, b)`, define: (a: Numbers, b: Numbers) => broadcast(a, b, f), ...(more.domain === undefined ? {} : { domain: more.domain }) })),
    { smooth: more.smooth ?? true, kinds: more.kinds ?? ['offset', 'large', 'zeros', 'denormals'] },
  )

const awayFromZero = (x: number): number => (x >= 0 ? x + 0.5 : x - 0.5)
const positive = (x: number): number => Math.abs(x) + 0.25
const all: readonly Kind[] = ['offset', 'large', 'zeros', 'denormals']

const pointwise = (name: string, f: (x: number) => number, more: { readonly code?: string; readonly domain?: (x: number) => number; readonly smooth?: boolean; readonly kinds?: readonly Kind[] } = {}): Subject =>
  subject(
    `tf.${name}`,
    shapes().map(shape => ({ shapes: [shape], code: more.code ?? `tf.${name}(a)`, define: (a: Numbers) => each(a, f), ...(more.domain === undefined ? {} : { domain: more.domain }) })),
    { smooth: more.smooth ?? true, kinds: more.kinds ?? all },
  )

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const erf = (x: number): number => (x === 0 ? 0 : (2 * gelus.erf(x * Math.SQRT2)) / (x * Math.SQRT2) - 1)
/** Values of inputs are multiples of 1/16: none of them is a kink here. */
const offGrid = (x: number): number => x + 1 / 64

/** Operations on each element by itself, and on pairs of them. */
export const elementwise: readonly Subject[] = [
  pairwise('add', (x, y) => x + y),
  subject('tf.add, rank 5 and 6', broadcastPairs(6).filter(([a, b]) => Math.max(a.length, b.length) >= 5).map(pair => ({ shapes: pair, code: 'tf.add(a, b)', define: (a: Numbers, b: Numbers) => broadcast(a, b, (x, y) => x + y) }))),
  subject('tf.add, six axes that alternate', fc.tuple(size(2), size(2), size(2)).map(([i, j, k]) => ({ shapes: [[i, 1, j, 1, k, 1], [1, k, 1, j, 1, i]], code: 'tf.add(a, b)', define: (a: Numbers, b: Numbers) => broadcast(a, b, (x, y) => x + y) }))),
  pairwise('sub', (x, y) => x - y),
  pairwise('mul', (x, y) => x * y, { kinds: ['offset', 'zeros', 'denormals'] }),
  pairwise('div', (x, y) => x / y, { domain: awayFromZero, kinds: ['offset', 'large'] }),
  // The second is moved off the grid of the first, so that no two elements are equal.
  pairwise('maximum', (x, y) => Math.max(x, y + 1 / 64), { code: 'tf.maximum(a, tf.add(b, 1 / 64))', kinds: [] }),
  pairwise('minimum', (x, y) => Math.min(x, y + 1 / 64), { code: 'tf.minimum(a, tf.add(b, 1 / 64))', kinds: [] }),
  pairwise('squaredDifference', (x, y) => (x - y) ** 2, { kinds: ['zeros', 'denormals'] }),
  pairwise('pow', (x, y) => x ** y, { domain: positive, kinds: [] }),
  pairwise('mod', (x, y) => x - Math.floor(x / y) * y, { domain: x => positive(x) + 1 / 64, smooth: false, kinds: [] }),
  pairwise('atan2', Math.atan2, { domain: awayFromZero, kinds: ['offset'] }),
  subject('tf.where', shapes(3).map(shape => ({
    shapes: [shape, shape],
    code: `tf.where(tf.cast(tf.tensor(${list(numbers(shape, (...place) => place.reduce((a, b) => a + b, 0) % 2).data)}, ${list(shape)}), 'bool'), a, b)`,
    define: (a: Numbers, b: Numbers) => numbers(shape, (...place) => at(place.reduce((x, y) => x + y, 0) % 2 === 1 ? a : b, ...place)),
  }))),
  subject('tf.where, condition of an input', shapes(3).map(shape => ({ shapes: [shape], code: 'tf.where(tf.greater(a, 0), a, tf.mul(a, 0.5))', define: (a: Numbers) => each(a, x => (x > 0 ? x : x / 2)), domain: offGrid }))),
  pointwise('exp', Math.exp, { kinds: ['zeros', 'denormals'] }),
  pointwise('expm1', Math.expm1, { kinds: ['zeros', 'denormals'] }),
  pointwise('log', Math.log, { domain: positive, kinds: ['offset', 'large'] }),
  pointwise('log1p', Math.log1p, { domain: positive, kinds: ['offset', 'large'] }),
  pointwise('sqrt', Math.sqrt, { domain: positive, kinds: ['offset', 'large'] }),
  pointwise('rsqrt', x => 1 / Math.sqrt(x), { domain: positive, kinds: ['offset', 'large'] }),
  pointwise('square', x => x * x),
  pointwise('reciprocal', x => 1 / x, { domain: awayFromZero, kinds: ['offset', 'large'] }),
  pointwise('neg', x => -x),
  pointwise('abs', Math.abs, { domain: offGrid }),
  pointwise('tanh', Math.tanh),
  pointwise('sigmoid', sigmoid),
  pointwise('logSigmoid', x => -Math.log1p(Math.exp(-Math.abs(x))) + Math.min(x, 0)),
  pointwise('softplus', x => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)),
  pointwise('relu', x => Math.max(x, 0), { domain: offGrid }),
  pointwise('relu6', x => Math.min(6, Math.max(x, 0)), { domain: x => offGrid(3 * x) }),
  pointwise('leakyRelu', x => (x > 0 ? x : 0.2 * x), { domain: offGrid }),
  pointwise('prelu', x => (x > 0 ? x : 0.25 * x), { domain: offGrid, code: 'tf.prelu(a, tf.scalar(0.25))' }),
  pointwise('elu', x => (x > 0 ? x : Math.expm1(x)), { domain: offGrid }),
  pointwise('selu', x => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)), { domain: offGrid }),
  pointwise('erf', erf, { kinds: ['zeros', 'denormals'] }),
  pointwise('sin', Math.sin, { kinds: ['zeros', 'denormals'] }),
  pointwise('cos', Math.cos, { kinds: ['zeros', 'denormals'] }),
  pointwise('clipByValue', x => Math.min(1, Math.max(-1, x)), { code: 'tf.clipByValue(a, -1, 1)', domain: offGrid }),
  pointwise('step', x => (x > 0 ? 1 : 0), { domain: offGrid }),
  pointwise('sign', Math.sign, { domain: offGrid }),
  pointwise('floor', Math.floor, { domain: offGrid, smooth: false }),
  pointwise('round', x => Math.round(x), { domain: offGrid, smooth: false, kinds: [] }),
  pointwise('mul, by itself', x => x ** 3, { code: 'tf.mul(a, tf.mul(a, a))', kinds: ['zeros'] }),
  pointwise('dropout, rate 0', x => x, { code: 'tf.dropout(a, 0)' }),
  subject('tf.addN', fc.tuple(shapes(3), fc.integer({ min: 1, max: 4 })).map(([shape, count]) => ({ shapes: Array.from({ length: count }, () => shape), code: `tf.addN([${[...'abcd'].slice(0, count).join(', ')}])`, define: (...xs: readonly Numbers[]) => numbers(shape, (...place) => xs.reduce((total, x) => total + at(x, ...place), 0)) }))),
]
