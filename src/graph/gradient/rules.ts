import { OpError } from '../../ops/opError.js'
import * as ops from '../../ops/ops.js'
import type { OpKind, Tensor } from '../../ops/tensor.js'
import { unfused } from '../../ops/unfused.js'
import { asPackedAttention } from '../../ops/asPackedAttention.js'
import { biasedAttention } from './biasedAttention.js'
import * as decompositions from './decompositions.js'
import { recomputed } from './recomputed.js'
import type { Contribution, Rule } from './rule.js'
import { times } from './times.js'

const negative = (x: Tensor): Tensor => times(x, -1)
const oneMinus = (x: Tensor): Tensor => ops.subtract(ops.scalar(1), x)
const none = (): readonly Contribution[] => []

/** All of `dy` goes to the one that was chosen, and half to each where they are equal. */
const chosen = (sign: 1 | -1) => ({ inputs: [a, b] }: Tensor<'maximum' | 'minimum'>, dy: Tensor): readonly Contribution[] => {
  const preference = (x: Tensor, y: Tensor): Tensor => ops.add(ops.subtract(ops.step(ops.subtract(x, y)), ops.step(ops.subtract(y, x))), ops.scalar(1))
  const share = (x: Tensor, y: Tensor): Tensor => times(ops.multiply(dy, sign === 1 ? preference(x, y) : preference(y, x)), 0.5)
  return [() => share(a!, b!), () => share(b!, a!)]
}

/** The reduced axes put back with size 1. */
const withAxes = ({ attributes: { axes }, inputs: [x] }: Tensor<'sum' | 'mean' | 'max'>, t: Tensor): Tensor => ops.reshape(t, x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)))
const countOf = ({ attributes: { axes }, inputs: [x] }: Tensor<'sum' | 'mean' | 'max'>): number => axes.reduce((n, axis) => n * x!.shape[axis]!, 1)

/** A matrix that all samples share is the weight of a linear map: its gradient is one product over all rows. */
const isShared = (t: Tensor, node: Tensor): boolean => t.shape.slice(0, -2).every(size => size === 1) && (!t.batched && (node.batched || node.shape.slice(0, -2).some(size => size !== 1)))

/** One rule for each op: a new op without one does not compile. */
export const rules: { readonly [K in OpKind]: Rule<K> } = {
  input: none,
  parameter: none,
  constant: none,
  dropMask: none,
  add: (_, dy) => [() => dy, () => dy],
  subtract: (_, dy) => [() => dy, () => negative(dy)],
  multiply: ({ inputs: [a, b] }, dy) => [() => ops.multiply(dy, b!), () => ops.multiply(dy, a!)],
  divide: (y, dy) => [() => ops.divide(dy, y.inputs[1]!), () => negative(ops.divide(ops.multiply(dy, y), y.inputs[1]!))],
  maximum: chosen(1),
  minimum: chosen(-1),
  // x⁰ is 1 everywhere, so that its derivative is 0 even where x⁻¹ is infinite.
  power: ({ attributes: { exponent }, inputs: [x] }, dy) => (exponent === 0 ? [] : [() => ops.multiply(dy, times(ops.power(x!, exponent - 1), exponent))]),
  exp: (y, dy) => [() => ops.multiply(dy, y)],
  log: ({ inputs: [x] }, dy) => [() => ops.divide(dy, x!)],
  sqrt: (y, dy) => [() => ops.divide(dy, times(y, 2))],
  tanh: (y, dy) => [() => ops.multiply(dy, oneMinus(ops.multiply(y, y)))],
  sigmoid: (y, dy) => [() => ops.multiply(dy, ops.multiply(y, oneMinus(y)))],
  relu: ({ inputs: [x] }, dy) => [() => ops.multiply(dy, ops.step(x!))],
  step: none,
  gelu: ({ attributes: { form }, inputs: [x] }, dy) => [() => ops.geluGradient(x!, dy, form)],
  reshape: ({ inputs: [x] }, dy) => [() => ops.reshape(dy, x!.shape)],
  transpose: ({ attributes: { perm } }, dy) => [() => ops.transpose(dy, perm.map((_, axis) => perm.indexOf(axis)))],
  slice: ({ attributes: { begin }, inputs: [x] }, dy) => [() => ops.pad(dy, begin, x!.shape)],
  pad: ({ attributes: { begin }, inputs: [x] }, dy) => [() => ops.slice(dy, begin, x!.shape)],
  broadcast: (_, dy) => [() => dy],
  concat: ({ attributes: { axis }, inputs }, dy) => {
    const starts = inputs.map((_, i) => inputs.slice(0, i).reduce((n, x) => n + x.shape[axis]!, 0))
    return inputs.map((x, i) => () => ops.slice(dy, dy.shape.map((_, at) => (at === axis ? starts[i]! : 0)), x.shape))
  },
  gather: ({ inputs: [table, indices] }, dy) => [() => ops.scatterAdd(indices!, dy, table!.shape[0]!, !table!.batched)],
  scatterAdd: ({ inputs: [indices] }, dy) => [undefined, () => ops.gather(dy, indices!)],
  argsort: none,
  sum: (y, dy) => [() => ops.broadcast(withAxes(y, dy), y.inputs[0]!.shape)],
  mean: (y, dy) => [() => ops.broadcast(withAxes(y, times(dy, 1 / countOf(y))), y.inputs[0]!.shape)],
  // Shared evenly where several are largest.
  max: (y, dy) => [
    () => {
      const isLargest = oneMinus(ops.step(ops.subtract(withAxes(y, y), y.inputs[0]!)))
      return ops.multiply(isLargest, ops.divide(withAxes(y, dy), ops.sum(isLargest, y.attributes.axes, true)))
    },
  ],
  batchSize: none,
  batchSum: ({ shape }, dy) => [() => ops.broadcast(dy, shape, true)],
  batchMean: ({ shape }, dy) => [() => ops.broadcast(ops.divide(dy, ops.batchSize()), shape, true)],
  batchReverse: (_, dy) => [() => ops.batchReverse(dy)],
  batchToAxis: (_, dy) => [() => ops.axisToBatch(dy)],
  axisToBatch: ({ inputs: [x] }, dy) => [() => ops.batchToAxis(dy, x!.shape[0]!)],
  softmax: (y, dy) => [() => ops.softmaxGradient(y, dy)],
  layerNorm: ({ attributes: { epsilon }, inputs: [x, gamma] }, dy) => [() => ops.layerNormGradient(x!, dy, epsilon, gamma), () => ops.multiply(dy, ops.layerNorm(x!, epsilon)), () => dy],
  matmul: (y, dy) => {
    const { transposeA, transposeB } = y.attributes
    const [a, b] = y.inputs as readonly [Tensor, Tensor]
    return [
      () => (transposeA ? ops.matmul(b, dy, { transposeA: transposeB, transposeB: true }) : ops.matmul(dy, b, { transposeB: !transposeB })),
      () => {
        if (isShared(b, y) && !transposeA) return ops.reshape(transposeB ? ops.linearWeightGradient(a, dy) : ops.linearWeightGradient(dy, a), b.shape)
        return transposeB ? ops.matmul(dy, a, { transposeA: true, transposeB: transposeA }) : ops.matmul(a, dy, { transposeA: !transposeA })
      },
    ]
  },
  linear: ({ inputs: [x, weight] }, dy) => [() => ops.linear(dy, ops.transpose(weight!, [1, 0])), () => ops.linearWeightGradient(x!, dy), () => dy],
  attention: y => ({ instead: asPackedAttention(y) ?? decompositions.attention(y) }),
  conv2d: ({ attributes, inputs: [x, weight] }, dy) => [
    () => ops.conv2dInputGradient(dy, weight!, attributes, [x!.shape[0]!, x!.shape[1]!]),
    () => ops.conv2dWeightGradient(x!, dy, attributes, [weight!.shape[2]!, weight!.shape[3]!]),
    () => dy,
  ],
  maxPool: ({ attributes, inputs: [x] }, dy) => [() => ops.maxPoolGradient(x!, dy, attributes)],
  averagePool: (y, dy) => [() => decompositions.averagePoolGradient(y, dy)],
  geluGradient: ({ attributes: { form }, inputs: [x, slope] }, dy) => [() => ops.multiply(ops.multiply(dy, slope!), decompositions.geluCurvature[form](x!)), () => ops.geluGradient(x!, dy, form)],
  softmaxGradient: y => ({ instead: decompositions.softmaxGradient(y) }),
  layerNormGradient: y => ({ instead: decompositions.layerNormGradient(y) }),
  linearWeightGradient: ({ inputs: [x, slope] }, dy) => [() => ops.linear(slope!, ops.transpose(dy, [1, 0])), () => ops.linear(x!, dy)],
  // The three convolutions are one product of image, weight and result, each the derivative of the others.
  conv2dInputGradient: ({ attributes, inputs: [slope, weight] }, dy) => [() => ops.conv2d(dy, weight!, undefined, attributes), () => ops.conv2dWeightGradient(dy, slope!, attributes, [weight!.shape[2]!, weight!.shape[3]!])],
  conv2dWeightGradient: ({ attributes, inputs: [x, slope] }, dy) => [() => ops.conv2dInputGradient(slope!, dy, attributes, [x!.shape[0]!, x!.shape[1]!]), () => ops.conv2d(x!, dy, undefined, attributes)],
  // Where the largest elements are does not change, but picking there what `dy` holds is an op of its own, which nothing needs yet.
  maxPoolGradient: () => [undefined, () => { throw new OpError('maxPoolGradient: pooling by the maximum has a first derivative only') }],
  after: (_, dy) => [() => dy],
  remat: (y, dy) => recomputed(y, dy),
  detach: none,
  fusedLinear: y => ({ instead: unfused(y) }),
  packedAttention: (y, dy) => {
    const [qkv, bias] = y.inputs as readonly [Tensor, Tensor?]
    if (bias === undefined) return [() => ops.packedAttentionGradient(qkv, dy, y.attributes)]
    // A bias of each sample may meet queries that all samples share.
    return qkv.batched === y.batched ? biasedAttention(y, dy) : { instead: ops.packedAttention(ops.broadcast(qkv, qkv.shape, true), y.attributes, bias) }
  },
  packedAttentionGradient: y => ({ instead: unfused(y) }),
  groupNorm: y => ({ instead: unfused(y) }),
  groupNormGradient: y => ({ instead: unfused(y) }),
  squareSum: y => ({ instead: unfused(y) }),
  elementwise: y => ({ instead: unfused(y) }),
}
