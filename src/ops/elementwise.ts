import { show } from '../shape/shape.js'
import { padRank } from './axes.js'
import { demand, node } from './node.js'
import type { Attributes, GeluForm, Tensor } from './tensor.js'

type Binary = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum'
/** Ranks are made equal first, so that the batch axis always lines up with the batch axis. */
const binary = <K extends Binary>(op: K) => (a: Tensor, b: Tensor): Tensor<K> => {
  const rank = Math.max(a.shape.length, b.shape.length)
  const [x, y] = [padRank(a, rank), padRank(b, rank)]
  const shape = x.shape.map((size, i) => {
    const other = y.shape[i] as number
    demand(size === other || size === 1 || other === 1, () => `${op}: ${show(a.shape)} and ${show(b.shape)} do not broadcast`)
    return Math.max(size, other)
  })
  return node(op, [x, y], {} as Attributes[K], shape)
}

/**
 * `a + b`; axes of size 1, or absent in front, are repeated.
 *
 * @example
 * ops.add(ops.input('a', [2, 1]), ops.input('b', [3])).shape // [2, 3]
 */
export const add = binary('add')
/**
 * `a − b`; axes of size 1, or absent in front, are repeated.
 *
 * @example
 * ops.subtract(ops.input('a', [2, 3]), ops.scalar(1)).shape // [2, 3]
 */
export const subtract = binary('subtract')
/**
 * `a × b`; axes of size 1, or absent in front, are repeated.
 *
 * @example
 * ops.multiply(ops.input('a', [2, 3]), ops.scalar(2)).shape // [2, 3]
 */
export const multiply = binary('multiply')
/**
 * `a ÷ b`; axes of size 1, or absent in front, are repeated.
 *
 * @example
 * ops.divide(ops.input('a', [2, 3]), ops.scalar(2)).shape // [2, 3]
 */
export const divide = binary('divide')
/**
 * The larger of `a` and `b`; axes of size 1, or absent in front, are repeated.
 *
 * @example
 * ops.maximum(ops.input('a', [2, 1]), ops.scalar(0)).shape // [2, 1]
 */
export const maximum = binary('maximum')
/**
 * The smaller of `a` and `b`, broadcasting.
 *
 * @example
 * ops.minimum(ops.input('a', [2, 1]), ops.scalar(0)).shape // [2, 1]
 */
export const minimum = binary('minimum')

type Unary = 'exp' | 'log' | 'step' | 'sqrt' | 'tanh' | 'sigmoid' | 'relu'
const unary = <K extends Unary>(op: K) => (x: Tensor): Tensor<K> => node(op, [x], {} as Attributes[K], x.shape)

/**
 * `eˣ`. `[...] → [...]`.
 *
 * @example
 * ops.exp(ops.input('x', [3])).shape // [3]
 */
export const exp = unary('exp')
/**
 * The natural logarithm; −∞ at 0, NaN below. `[...] → [...]`.
 *
 * @example
 * ops.log(ops.input('x', [3])).shape // [3]
 */
export const log = unary('log')
/**
 * 1 where `x > 0`, 0 elsewhere, NaN where `x` is NaN. `[...] → [...]`.
 *
 * @example
 * ops.step(ops.input('x', [3])).shape // [3]
 */
export const step = unary('step')
/**
 * `x` to a fixed power. `[...] → [...]`; NaN where a negative number meets an exponent that is not whole.
 *
 * @example
 * ops.power(ops.input('x', [3]), 2).attributes // { exponent: 2 }
 */
export const power = (x: Tensor, exponent: number): Tensor<'power'> => node('power', [x], { exponent }, x.shape)
/**
 * `√x`; NaN below 0. `[...] → [...]`.
 *
 * @example
 * ops.sqrt(ops.input('x', [3])).shape // [3]
 */
export const sqrt = unary('sqrt')
/**
 * `tanh x`. `[...] → [...]`.
 *
 * @example
 * ops.tanh(ops.input('x', [3])).shape // [3]
 */
export const tanh = unary('tanh')
/**
 * `1 / (1 + e⁻ˣ)`. `[...] → [...]`.
 *
 * @example
 * ops.sigmoid(ops.input('x', [3])).shape // [3]
 */
export const sigmoid = unary('sigmoid')
/**
 * `max(x, 0)`. `[...] → [...]`.
 *
 * @example
 * ops.relu(ops.input('x', [3])).shape // [3]
 */
export const relu = unary('relu')
/**
 * `eˣ / Σ eˣ` over the last axis: `[..., n] → [..., n]`.
 *
 * @example
 * ops.softmax(ops.input('x', [197, 10])).shape // [197, 10]
 */
export const softmax = (x: Tensor): Tensor<'softmax'> => {
  demand(x.shape.length >= 1, 'softmax: expects a channel axis')
  return node('softmax', [x], {}, x.shape)
}
/**
 * `x·Φ(x)` (Hendrycks and Gimpel, 2016), or one of its approximations: `[...] → [...]`. At −∞ that is −∞·0, which is no number;
 * where a backend has a kernel of its own it may give 0 instead, which the values before it approach.
 *
 * @example
 * ops.gelu(ops.input('x', [3]), 'tanh').attributes // { form: 'tanh' }
 */
export const gelu = (x: Tensor, form: GeluForm = 'erf'): Tensor<'gelu'> => node('gelu', [x], { form }, x.shape)
