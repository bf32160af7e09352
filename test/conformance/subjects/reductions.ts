import fc from 'fast-check'
import { at, channelwise, each, meanOf, numbers, softmaxOf, standardised, type Numbers } from '../../../src/testing/oracles/numbers.js'
import { list, shapes, subject, type Kind, type Subject } from '../subject.js'

/** A shape with some of its axes, some of them counted from the end. */
const shapesWithAxes: fc.Arbitrary<{ readonly shape: number[]; readonly axes: number[]; readonly told: number[]; readonly keep: boolean }> = fc
  .tuple(shapes(4), fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 4, maxLength: 4 }), fc.boolean())
  .map(([shape, chosen, keep]) => {
    const axes = shape.map((_, axis) => axis).filter(axis => chosen[axis]![0])
    const used = axes.length === 0 ? [shape.length - 1] : axes
    return { shape, axes: used, told: used.map(axis => (chosen[axis]![1] ? axis - shape.length : axis)), keep }
  })

/** What of the elements along some axes. */
const reduced = (x: Numbers, axes: readonly number[], keep: boolean, f: (values: readonly number[]) => number): Numbers => {
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  const inner = x.shape.map((n, axis) => (axes.includes(axis) ? n : 1))
  const whole = numbers(kept, (...outer) => f(Array.from(numbers(inner, (...place) => at(x, ...place.map((i, axis) => (axes.includes(axis) ? i : outer[axis]!)))).data)))
  return { shape: keep ? kept : kept.filter((_, axis) => !axes.includes(axis)), data: whole.data }
}

const reduction = (name: string, f: (values: readonly number[]) => number, more: { readonly smooth?: boolean; readonly kinds?: readonly Kind[]; readonly domain?: (x: number) => number; readonly code?: (axes: string, keep: boolean) => string; readonly most?: number } = {}): Subject =>
  subject(
    `tf.${name}`,
    shapesWithAxes.filter(({ axes }) => axes.length <= (more.most ?? 4)).map(({ shape, axes, told, keep }) => ({
      shapes: [shape],
      code: more.code?.(list(told), keep) ?? `tf.${name}(a, ${list(told)}, ${keep})`,
      define: (a: Numbers) => reduced(a, axes, keep, f),
      ...(more.domain === undefined ? {} : { domain: more.domain }),
    })),
    { smooth: more.smooth ?? true, kinds: more.kinds ?? ['offset', 'large', 'zeros', 'denormals'] },
  )

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b))
const variance = (values: readonly number[]): number => meanOf(values.map(v => (v - meanOf(values)) ** 2))
const logSumExp = (values: readonly number[]): number => most(values) + Math.log(total(values.map(v => Math.exp(v - most(values)))))

/** Along one axis, each element from those before it. */
const running = (x: Numbers, axis: number, exclusive: boolean, reverse: boolean, start: number, f: (a: number, b: number) => number): Numbers =>
  numbers(x.shape, (...place) => {
    const here = place[axis]!
    const before = Array.from({ length: x.shape[axis]! }, (_, i) => i).filter(i => (reverse ? i > here : i < here) || (i === here && !exclusive))
    return before.reduce((value, i) => f(value, at(x, ...place.map((j, k) => (k === axis ? i : j)))), start)
  })

const scans = (name: 'cumsum' | 'cumprod', negative: boolean, start: number, f: (a: number, b: number) => number): Subject =>
  subject(
    `tf.${name}${negative ? ', axis from the end' : ''}`,
    fc.tuple(shapes(3), fc.nat(2), fc.boolean(), fc.boolean()).map(([shape, pick, exclusive, reverse]) => {
      const axis = pick % shape.length
      return { shapes: [shape], code: `tf.${name}(a, ${negative ? axis - shape.length : axis}, ${exclusive}, ${reverse})`, define: (a: Numbers) => running(a, axis, exclusive, reverse, start, f) }
    }),
    { kinds: ['offset', 'zeros'] },
  )

const index = (name: string, better: (a: number, b: number) => boolean): Subject =>
  subject(
    `tf.${name}`,
    fc.tuple(shapes(3), fc.nat(2)).map(([shape, pick]) => {
      const axis = pick % shape.length
      return { shapes: [shape], code: `tf.cast(tf.${name}(a, ${axis}), 'float32')`, define: (a: Numbers) => reduced(a, [axis], false, values => values.reduce((best, value, i) => (better(value, values[best]!) ? i : best), 0)) }
    }),
    { smooth: false, kinds: ['offset'] },
  )

const layerNorm = `(x => {
  const { mean, variance } = tf.moments(x, -1, true)
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-6)))
})(a)`

/** Operations along axes. */
export const reductions: readonly Subject[] = [
  reduction('sum', total),
  reduction('mean', meanOf),
  reduction('max', most),
  reduction('min', values => -most(values.map(v => -v))),
  reduction('prod', values => values.reduce((a, b) => a * b, 1), { kinds: ['zeros'], domain: x => (x === 0 ? 0.5 : x) }),
  reduction('logSumExp', logSumExp, { kinds: ['offset', 'large', 'zeros'] }),
  reduction('norm', values => Math.sqrt(total(values.map(v => v * v))), { domain: x => Math.abs(x) + 0.25, code: (axes, keep) => `tf.norm(a, 'euclidean', ${axes}, ${keep})`, kinds: [], most: 2 }),
  reduction('moments, mean', meanOf, { code: (axes, keep) => `tf.moments(a, ${axes}, ${keep}).mean`, kinds: ['offset', 'zeros'] }),
  reduction('moments, variance', variance, { code: (axes, keep) => `tf.moments(a, ${axes}, ${keep}).variance`, kinds: ['offset', 'zeros'] }),
  index('argMax', (a, b) => a > b),
  index('argMin', (a, b) => a < b),
  subject('tf.softmax', shapes().map(shape => ({ shapes: [shape], code: 'tf.softmax(a)', define: (a: Numbers) => channelwise(a, softmaxOf) })), { kinds: ['offset', 'large', 'zeros', 'denormals'] }),
  subject('tf.logSoftmax', shapes().map(shape => ({ shapes: [shape], code: 'tf.logSoftmax(a)', define: (a: Numbers) => channelwise(a, row => Array.from(row, v => v - logSumExp(Array.from(row)))) })), { kinds: ['offset', 'zeros'] }),
  subject('layer norm by tf.moments', shapes(3).filter(shape => shape.at(-1)! > 1).map(shape => ({ shapes: [shape], code: layerNorm, define: (a: Numbers) => channelwise(a, row => standardised(row, 1e-6)) })), { kinds: ['offset'] }),
  subject('layer norm by tf.moments, rows of 768', fc.constant({ shapes: [[1, 768]], code: layerNorm, define: (a: Numbers) => channelwise(a, row => standardised(row, 1e-6)) }), { smooth: false, kinds: ['offset'] }),
  scans('cumsum', false, 0, (a, b) => a + b),
  scans('cumprod', false, 1, (a, b) => a * b),
  subject('tf.losses.softmaxCrossEntropy', fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 4 })).map(([rows, classes]) => ({
    shapes: [[rows, classes]],
    code: `tf.losses.softmaxCrossEntropy(tf.oneHot(tf.range(0, ${rows}, 1, 'int32'), ${classes}), a)`,
    define: (a: Numbers) => ({ shape: [], data: Float64Array.of(meanOf(Array.from({ length: rows }, (_, row) => (row < classes ? logSumExp(Array.from(a.data.subarray(row * classes, (row + 1) * classes))) - at(a, row, row) : 0)))) }),
  })).filter(({ shapes: [shape] }) => shape![0]! <= shape![1]!), { kinds: ['offset'] }),
  subject('tf.losses.sigmoidCrossEntropy', shapes(2).map(shape => ({
    shapes: [shape],
    code: `tf.losses.sigmoidCrossEntropy(tf.ones(${list(shape)}), a)`,
    define: (a: Numbers) => ({ shape: [], data: Float64Array.of(meanOf(each(a, x => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(-x, 0)).data)) }),
    domain: (x: number) => x + 1 / 64,
  })), { kinds: ['zeros'] }),
  // Last, because they write outside of their memory on wasm.
  scans('cumsum', true, 0, (a, b) => a + b),
  scans('cumprod', true, 1, (a, b) => a * b),
]
