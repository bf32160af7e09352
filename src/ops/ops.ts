import { convSize } from '../shape/natural.js'
import { sameShape, show, sizeOf, type DType, type Shape } from '../shape/shape.js'
import type { Initialiser } from './initialiser.js'
import { OpError } from './opError.js'
import type { Attributes, Convolution, GeluForm, OpKind, ParameterRole, Pooling, Tensor } from './tensor.js'

const node = <K extends OpKind>(op: K, inputs: readonly Tensor[], attributes: Attributes[K], shape: Shape, dtype: DType = 'float32', batched = inputs.some(i => i.batched)): Tensor<K> =>
  Object.freeze<Tensor<K>>({ op, inputs: Object.freeze([...inputs]), attributes, shape: Object.freeze([...shape]), dtype, batched })

const demand = (holds: boolean, sentence: string): void => {
  if (!holds) throw new OpError(sentence)
}

// ── leaves ──────────────────────────────────────────────────────────────────────────────────────────

/** A batched input of the model. */
export const input = (name: string, shape: Shape, dtype: DType = 'float32'): Tensor<'input'> => node('input', [], { name }, shape, dtype, true)

/** A named weight, unbatched. */
export const parameter = (name: string, shape: Shape, initialiser: Initialiser, role: ParameterRole = 'trained'): Tensor<'parameter'> =>
  node('parameter', [], { name, initialiser, role }, shape)

/** Fixed values, unbatched. */
export const constant = (data: Float32Array | Int32Array, shape: Shape): Tensor<'constant'> => {
  demand(data.length === sizeOf(shape), `constant: ${data.length} values do not fill ${show(shape)}`)
  return node('constant', [], { data }, shape, data instanceof Int32Array ? 'int32' : 'float32')
}

/** A single fixed number, shape `[]`. */
export const scalar = (value: number): Tensor<'constant'> => constant(Float32Array.of(value), [])

/** A batched inverted-dropout mask. */
export const dropMask = (stream: string, keep: number, shape: Shape): Tensor<'dropMask'> => node('dropMask', [], { stream, keep }, shape, 'float32', true)

// ── elementwise ─────────────────────────────────────────────────────────────────────────────────────

const padRank = (t: Tensor, rank: number): Tensor => (t.shape.length >= rank ? t : reshape(t, [...Array<number>(rank - t.shape.length).fill(1), ...t.shape]))

type Binary = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum'
/** Ranks are made equal first, so that the batch axis always lines up with the batch axis. */
const binary = <K extends Binary>(op: K) => (a: Tensor, b: Tensor): Tensor<K> => {
  const rank = Math.max(a.shape.length, b.shape.length)
  const [x, y] = [padRank(a, rank), padRank(b, rank)]
  const shape = x.shape.map((size, i) => {
    const other = y.shape[i] as number
    demand(size === other || size === 1 || other === 1, `${op}: ${show(a.shape)} and ${show(b.shape)} do not broadcast`)
    return Math.max(size, other)
  })
  return node(op, [x, y], {} as Attributes[K], shape)
}

/** `a + b`, broadcasting. */
export const add = binary('add')
/** `a − b`, broadcasting. */
export const subtract = binary('subtract')
/** `a × b`, broadcasting. */
export const multiply = binary('multiply')
/** `a ÷ b`, broadcasting. */
export const divide = binary('divide')
/** The larger of `a` and `b`, broadcasting. */
export const maximum = binary('maximum')

type Unary = 'exp' | 'sqrt' | 'tanh' | 'sigmoid' | 'relu'
const unary = <K extends Unary>(op: K) => (x: Tensor): Tensor<K> => node(op, [x], {} as Attributes[K], x.shape)

/** `eˣ`. */
export const exp = unary('exp')
/** `√x`. */
export const sqrt = unary('sqrt')
/** `tanh x`. */
export const tanh = unary('tanh')
/** `1 / (1 + e⁻ˣ)`. */
export const sigmoid = unary('sigmoid')
/** `max(x, 0)`. */
export const relu = unary('relu')
/** `eˣ / Σ eˣ` over the last axis. */
export const softmax = (x: Tensor): Tensor<'softmax'> => {
  demand(x.shape.length >= 1, 'softmax: expects a channel axis')
  return node('softmax', [x], {}, x.shape)
}
/** `x·Φ(x)` (Hendrycks and Gimpel, 2016), or one of its approximations. */
export const gelu = (x: Tensor, form: GeluForm = 'erf'): Tensor<'gelu'> => node('gelu', [x], { form }, x.shape)

// ── axes ────────────────────────────────────────────────────────────────────────────────────────────

/** The same elements in the same order under other sizes. */
export function reshape(x: Tensor, shape: Shape): Tensor<'reshape'> {
  demand(shape.every(size => Number.isInteger(size) && size >= 0) && sizeOf(shape) === sizeOf(x.shape), `reshape: ${show(x.shape)} does not hold ${show(shape)}`)
  return node('reshape', [x], {}, shape, x.dtype)
}

/** Axis `i` of the result is axis `perm[i]` of `x`. */
export const transpose = (x: Tensor, perm: readonly number[]): Tensor<'transpose'> => {
  demand(perm.length === x.shape.length && [...perm].sort((a, b) => a - b).every((axis, i) => axis === i), `transpose: ${perm.join()} does not permute the axes of ${show(x.shape)}`)
  return node('transpose', [x], { perm }, perm.map(axis => x.shape[axis] as number), x.dtype)
}

/** The block of `size` elements that begins at `begin` along each axis. */
export const slice = (x: Tensor, begin: readonly number[], size: Shape): Tensor<'slice'> => {
  demand(begin.length === x.shape.length && size.length === begin.length && begin.every((b, i) => b >= 0 && b + (size[i] as number) <= (x.shape[i] as number)), `slice: ${begin.join()} + ${size.join()} lies outside ${show(x.shape)}`)
  return node('slice', [x], { begin }, size, x.dtype)
}

/** Several tensors joined along one axis; an unbatched one is repeated over the batch of the others. */
export const concat = (xs: readonly Tensor[], axis: number): Tensor<'concat'> => {
  const first = xs[0] as Tensor
  demand(xs.every(x => x.shape.length === first.shape.length && x.shape.every((size, i) => i === axis || size === first.shape[i])), `concat: ${xs.map(x => show(x.shape)).join(' and ')} differ beside axis ${axis}`)
  return node('concat', xs, { axis }, first.shape.map((size, i) => (i === axis ? xs.reduce((n, x) => n + (x.shape[axis] as number), 0) : size)), first.dtype)
}

/** Rows of `table` `[rows, ...rest]` picked by whole numbers `[...shape]` → `[...shape, ...rest]`. */
export const gather = (table: Tensor, indices: Tensor): Tensor<'gather'> => {
  demand(indices.dtype === 'int32' && !table.batched, 'gather: expects an unbatched table and integer indices')
  return node('gather', [table, indices], {}, [...indices.shape, ...table.shape.slice(1)], table.dtype)
}

// ── reductions ──────────────────────────────────────────────────────────────────────────────────────

const reduction = <K extends 'sum' | 'mean' | 'max'>(op: K) => (x: Tensor, axes: readonly number[], keepDims = false): Tensor<K> => {
  demand(axes.every(axis => axis >= 0 && axis < x.shape.length), `${op}: axes ${axes.join()} lie outside ${show(x.shape)}`)
  const shape = keepDims ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size)) : x.shape.filter((_, i) => !axes.includes(i))
  return node(op, [x], { axes, keepDims } as Attributes[K], shape)
}

/** The sum over some axes. */
export const sum = reduction('sum')
/** The mean over some axes. */
export const mean = reduction('mean')
/** The largest over some axes. */
export const max = reduction('max')

/** How many samples a run has: a single number, known only then. */
export const batchSize = (): Tensor<'batchSize'> => node('batchSize', [], {}, [])

/** The mean over the batch, which all samples then share: `batched [...] → [...]`. */
export const batchMean = (x: Tensor): Tensor<'batchMean'> => {
  demand(x.batched, 'batchMean: expects a batched tensor')
  return node('batchMean', [x], {}, x.shape, 'float32', false)
}

/** `(x − mean) / √(variance + ε)` over the last axis, biased variance (Ba et al., 2016), then `· gamma + beta` if given. */
export const layerNorm = (x: Tensor, epsilon: number, affine?: { readonly gamma: Tensor; readonly beta: Tensor }): Tensor<'layerNorm'> => {
  demand(x.shape.length >= 1, 'layerNorm: expects a channel axis')
  demand(affine === undefined || [affine.gamma, affine.beta].every(t => !t.batched && sameShape(t.shape, x.shape.slice(-1))), 'layerNorm: scale and shift are not one unbatched number a channel')
  return node('layerNorm', affine === undefined ? [x] : [x, affine.gamma, affine.beta], { epsilon }, x.shape)
}

// ── contractions ────────────────────────────────────────────────────────────────────────────────────

/** Matrix products over the last two axes; the leading axes must be equal, or absent on one side. */
export const matmul = (a: Tensor, b: Tensor, { transposeA = false, transposeB = false } = {}): Tensor<'matmul'> => {
  const rank = Math.max(a.shape.length, b.shape.length)
  const [x, y] = [padRank(a, rank), padRank(b, rank)]
  const [m, k] = matrix(x.shape, transposeA)
  const [k2, n] = matrix(y.shape, transposeB)
  const [left, right] = [x.shape.slice(0, -2), y.shape.slice(0, -2)]
  demand(rank >= 2 && k === k2 && left.every((size, i) => size === right[i] || size === 1 || right[i] === 1), `matmul: ${show(a.shape)} and ${show(b.shape)} do not multiply`)
  return node('matmul', [x, y], { transposeA, transposeB }, [...left.map((size, i) => Math.max(size, right[i] as number)), m, n])
}
const matrix = (shape: Shape, transposed: boolean): readonly [number, number] => {
  const [rows, columns] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0]
  return transposed ? [columns, rows] : [rows, columns]
}

/** `x [..., in] → [..., out]` by a weight `[out, in]` and a bias `[out]`, as PyTorch stores them. */
export const linear = (x: Tensor, weight: Tensor, bias?: Tensor): Tensor<'linear'> => {
  demand(weight.shape.length === 2 && x.shape.at(-1) === weight.shape[1] && !weight.batched, `linear: a weight of ${show(weight.shape)} does not take ${show(x.shape)}`)
  demand(bias === undefined || (!bias.batched && sameShape(bias.shape, [weight.shape[0] as number])), 'linear: the bias does not have one element for each channel out')
  return node('linear', bias === undefined ? [x, weight] : [x, weight, bias], {}, [...x.shape.slice(0, -1), weight.shape[0] as number])
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al., 2017, section 3.2): the channels are split into
 * heads of consecutive channels, and each head is `softmax(q kᵀ · scale + bias) v`. Queries `[..., queries, dim]`,
 * keys and values `[..., keys, dim]`, bias `[..., numHeads, queries, keys]` → `[..., queries, dim]`. Leading axes
 * (the windows of an image) are equal; those of the bias may also be 1 or absent.
 */
export const attention = (q: Tensor, k: Tensor, v: Tensor, { numHeads, scale }: Attributes['attention'], bias?: Tensor): Tensor<'attention'> => {
  const [leading, [queries, dim]] = [q.shape.slice(0, -2), q.shape.slice(-2) as readonly number[] as readonly [number, number]]
  const keys = k.shape.at(-2) as number
  demand(q.shape.length >= 2 && sameShape(k.shape, [...leading, keys, dim]) && sameShape(v.shape, k.shape) && dim % numHeads === 0, `attention: queries ${show(q.shape)}, keys ${show(k.shape)} and values ${show(v.shape)} do not fit ${numHeads} heads`)
  if (bias === undefined) return node('attention', [q, k, v], { numHeads, scale }, q.shape)
  // Of equal rank, so that the batch axis lines up with the batch axis, as in elementwise ops.
  const shift = padRank(bias, q.shape.length + 1)
  const fits = sameShape(shift.shape.slice(-3), [numHeads, queries, keys]) && shift.shape.length === q.shape.length + 1 && leading.every((size, axis) => shift.shape[axis] === size || shift.shape[axis] === 1)
  demand(fits, `attention: a bias of ${show(bias.shape)} is not heads×queries×keys`)
  return node('attention', [q, k, v, shift], { numHeads, scale }, q.shape)
}

/** A 2-D convolution of `[height, width, in]` by a weight `[out, in/groups, kernelHeight, kernelWidth]` (PyTorch's layout) and a bias `[out]`. */
export const conv2d = (x: Tensor, weight: Tensor, bias: Tensor | undefined, { strides, padding, groups }: Convolution): Tensor<'conv2d'> => {
  const [height, width, channels] = x.shape as readonly [number, number, number]
  const [out, perGroup, kernelHeight, kernelWidth] = weight.shape as readonly [number, number, number, number]
  const [[top, bottom], [left, right]] = padding
  const rows = convSize(height + top + bottom, kernelHeight, strides[0], 0)
  const columns = convSize(width + left + right, kernelWidth, strides[1], 0)
  demand(x.shape.length === 3 && weight.shape.length === 4 && channels === perGroup * groups && out % groups === 0 && rows !== undefined && columns !== undefined, `conv2d: a weight of ${show(weight.shape)} does not take ${show(x.shape)}`)
  demand(!weight.batched && (bias === undefined || (!bias.batched && sameShape(bias.shape, [out]))), 'conv2d: weight and bias are not unbatched, with one bias for each channel out')
  return node('conv2d', bias === undefined ? [x, weight] : [x, weight, bias], { strides, padding, groups }, [rows as number, columns as number, out])
}

const pooled = (op: string, x: Tensor, { size, strides, padding }: Pooling): Shape => {
  const [height, width, channels] = x.shape as readonly [number, number, number]
  const rows = convSize(height + padding[0][0] + padding[0][1], size[0], strides[0], 0)
  const columns = convSize(width + padding[1][0] + padding[1][1], size[1], strides[1], 0)
  demand(padding.every((sides, axis) => sides.every(side => side < size[axis]!)), `${op}: a window of ${show(size)} may lie wholly in the padding`)
  demand(x.shape.length === 3 && rows !== undefined && columns !== undefined, `${op}: a window of ${show(size)} does not fit ${show(x.shape)}`)
  return [rows as number, columns as number, channels]
}

/** The largest element of each window, channel by channel; `[height, width, channels] → [rows, columns, channels]`. */
export const maxPool = (x: Tensor, { size, strides, padding }: Pooling): Tensor<'maxPool'> => node('maxPool', [x], { size, strides, padding }, pooled('maxPool', x, { size, strides, padding }))

/** The mean of each window; padding is counted as zeros (PyTorch's default) or left out of the mean (TensorFlow's). */
export const averagePool = (x: Tensor, { size, strides, padding, countPadding }: Attributes['averagePool']): Tensor<'averagePool'> =>
  node('averagePool', [x], { size, strides, padding, countPadding }, pooled('averagePool', x, { size, strides, padding }))

/** The same node over other inputs: how passes rebuild a graph. */
export const withInputs = (t: Tensor, inputs: readonly Tensor[]): Tensor =>
  inputs.every((x, i) => x === t.inputs[i]) ? t : Object.freeze({ ...t, inputs: Object.freeze([...inputs]), batched: t.op !== 'batchMean' && inputs.some(i => i.batched) })
