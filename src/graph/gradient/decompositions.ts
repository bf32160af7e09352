import { paddingScale } from '../../ops/images.js'
import * as ops from '../../ops/ops.js'
import type { GeluForm, Tensor } from '../../ops/tensor.js'
import { sizeOf } from '../../shape/shape.js'
import { times } from './times.js'

/** Over the last axis, which stays with size 1. */
const overRows = (op: (x: Tensor, axes: readonly number[], keepDims: boolean) => Tensor, x: Tensor): Tensor => op(x, [x.shape.length - 1], true)

/**
 * Attention as products with a softmax between, the heads an axis of their own; see `ops.attention`. The scale goes
 * to the queries, which are fewer than the scores. `[..., queries, dim]`.
 */
export const attention = ({ attributes: { numHeads, scale }, shape, inputs: [q, k, v, bias] }: Tensor<'attention'>): Tensor => {
  const rank = shape.length
  const leading = shape.slice(0, -2).map((_, axis) => axis)
  const exchanged = [...leading, rank - 1, rank - 2, rank]
  const heads = (x: Tensor): Tensor => ops.transpose(ops.reshape(x, [...x.shape.slice(0, -1), numHeads, x.shape.at(-1)! / numHeads]), exchanged)
  const scores = ops.matmul(heads(times(q!, scale)), heads(k!), { transposeB: true })
  const weights = ops.softmax(bias === undefined ? scores : ops.add(scores, bias))
  return ops.reshape(ops.transpose(ops.matmul(weights, heads(v!)), exchanged), shape)
}

/** `y (dy − Σ y dy)`; see `ops.softmaxGradient`. */
export const softmaxGradient = ({ inputs: [y, dy] }: Tensor<'softmaxGradient'>): Tensor => ops.multiply(y!, ops.subtract(dy!, overRows(ops.sum, ops.multiply(y!, dy!))))

/** `(g − mean g − x̂ · mean g x̂) / σ` for `g = dy·γ`; see `ops.layerNormGradient`. */
export const layerNormGradient = ({ attributes: { epsilon }, inputs: [x, dy, gamma] }: Tensor<'layerNormGradient'>): Tensor => {
  const centred = ops.subtract(x!, overRows(ops.mean, x!))
  const deviation = ops.sqrt(ops.add(overRows(ops.mean, ops.multiply(centred, centred)), ops.scalar(epsilon)))
  const normalised = ops.divide(centred, deviation)
  const g = gamma === undefined ? dy! : ops.multiply(dy!, gamma)
  const along = ops.multiply(normalised, overRows(ops.mean, ops.multiply(g, normalised)))
  return ops.divide(ops.subtract(ops.subtract(g, overRows(ops.mean, g)), along), deviation)
}

/** The second derivative of each GELU at `x`. */
export const geluCurvature: { readonly [F in GeluForm]: (x: Tensor) => Tensor } = {
  // φ(x)·(2 − x²)
  erf: x => {
    const square = ops.multiply(x, x)
    return ops.multiply(times(ops.exp(times(square, -0.5)), 1 / Math.sqrt(2 * Math.PI)), ops.subtract(ops.scalar(2), square))
  },
  // With t = tanh u: (1 − t²)·(u′ + x·(u″/2 − t·u′²)).
  tanh: x => {
    const rate = Math.sqrt(2 / Math.PI)
    const square = ops.multiply(x, x)
    const t = ops.tanh(ops.multiply(x, ops.add(times(square, rate * 0.044715), ops.scalar(rate))))
    const slope = ops.add(times(square, 3 * rate * 0.044715), ops.scalar(rate))
    const bend = ops.subtract(times(x, 3 * rate * 0.044715), ops.multiply(t, ops.multiply(slope, slope)))
    return ops.multiply(ops.subtract(ops.scalar(1), ops.multiply(t, t)), ops.add(slope, ops.multiply(x, bend)))
  },
  // With s = σ(cx): c·s·(1 − s)·(2 + cx·(1 − 2s)).
  quick: x => {
    const scaled = times(x, 1.702)
    const s = ops.sigmoid(scaled)
    const spread = times(ops.multiply(s, ops.subtract(ops.scalar(1), s)), 1.702)
    return ops.multiply(spread, ops.add(ops.scalar(2), ops.multiply(scaled, ops.subtract(ops.scalar(1), times(s, 2)))))
  },
}

/**
 * The gradient of a mean over windows: a transposed convolution by a kernel that is even, channel by channel. Where
 * padding does not count, each window's gradient is first set right for how much of it lies inside the image.
 */
export const averagePoolGradient = (node: Tensor<'averagePool'>, dy: Tensor): Tensor => {
  const { attributes: { size, strides, padding, countPadding }, shape, inputs: [x] } = node
  const [height, width, channels] = x!.shape as readonly [number, number, number]
  const even = ops.constant(new Float32Array(channels * sizeOf(size)).fill(1 / sizeOf(size)), [channels, 1, ...size])
  const counted = countPadding ? dy : ops.multiply(dy, ops.constant(paddingScale(node), [shape[0]!, shape[1]!, 1]))
  return ops.conv2dInputGradient(counted, even, { strides, padding, groups: channels }, [height, width])
}
