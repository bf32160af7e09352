import { linearOperands } from '../ops/linearOperands.js'
import * as ops from '../ops/ops.js'
import { isOp, tensorsOf, type Signal, type Tensor } from '../ops/tensor.js'
import { sameShape, show, sizeOf } from '../shape/shape.js'
import { collectNodes } from './graph.js'

/**
 * Every way in which a graph breaks the rules, as sentences; none for a legal graph. A node must be what its
 * own constructor makes of its inputs: shape, element type, batch. Run after every pass in tests.
 */
export const validate = (roots: readonly Signal[]): readonly string[] => {
  const names = new Map<string, Tensor>()
  return collectNodes(roots.flatMap(tensorsOf)).flatMap((node, i) => {
    const wrong: string[] = []
    const said = (sentence: string): void => void wrong.push(`%${i} ${node.op}: ${sentence}`)
    if (isOp(node, 'parameter')) {
      const { name } = node.attributes
      if (names.has(name)) said(`another parameter is called '${name}'`)
      names.set(name, node)
    }
    if (!node.shape.every(size => Number.isInteger(size) && size >= 0)) said(`${show(node.shape)} is no shape`)
    if (isOp(node, 'constant') && node.attributes.data.length !== sizeOf(node.shape)) said('its values do not fill its shape')
    const remade = remake(node)
    if (typeof remade === 'string') said(remade)
    else if (remade !== undefined) {
      if (!sameShape(remade.shape, node.shape)) said(`is ${show(node.shape)}, but its inputs make ${show(remade.shape)}`)
      if (remade.dtype !== node.dtype) said(`is ${node.dtype}, but its inputs make ${remade.dtype}`)
      if (remade.batched !== node.batched) said(`is ${node.batched ? '' : 'not '}batched, but its inputs make it otherwise`)
    }
    return wrong
  })
}

type Remake = { readonly [K in Tensor['op']]: ((node: Tensor<K>, inputs: readonly Tensor[]) => Tensor) | undefined }

const binary = (op: (a: Tensor, b: Tensor) => Tensor) => (_: Tensor, [a, b]: readonly Tensor[]) => op(a!, b!)
const unary = (op: (x: Tensor) => Tensor) => (_: Tensor, [x]: readonly Tensor[]) => op(x!)

/** The constructor of each op, applied again; leaves have nothing to check against. */
const table: Remake = {
  input: undefined,
  parameter: undefined,
  constant: undefined,
  dropMask: undefined,
  add: binary(ops.add),
  subtract: binary(ops.subtract),
  multiply: binary(ops.multiply),
  divide: binary(ops.divide),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  power: (n, [x]) => ops.power(x!, n.attributes.exponent),
  exp: unary(ops.exp),
  log: unary(ops.log),
  sqrt: unary(ops.sqrt),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  relu: unary(ops.relu),
  step: unary(ops.step),
  softmax: unary(ops.softmax),
  gelu: (n, [x]) => ops.gelu(x!, n.attributes.form),
  reshape: (n, [x]) => ops.reshape(x!, n.shape),
  transpose: (n, [x]) => ops.transpose(x!, n.attributes.perm),
  slice: (n, [x]) => ops.slice(x!, n.attributes.begin, n.shape),
  pad: (n, [x]) => ops.pad(x!, n.attributes.begin, n.shape),
  broadcast: (n, [x, count]) => ops.broadcast(x!, n.shape, count !== undefined),
  concat: (n, inputs) => ops.concat(inputs, n.attributes.axis),
  gather: (_, [rows, indices]) => ops.gather(rows!, indices!),
  scatterAdd: (n, [indices, values]) => ops.scatterAdd(indices!, values!, n.shape[0]!, n.attributes.overBatch),
  argsort: (n, [x]) => ops.argsort(x!, n.attributes),
  sum: (n, [x]) => ops.sum(x!, n.attributes.axes, n.attributes.keepDims),
  mean: (n, [x]) => ops.mean(x!, n.attributes.axes, n.attributes.keepDims),
  max: (n, [x]) => ops.max(x!, n.attributes.axes, n.attributes.keepDims),
  batchSize: undefined,
  batchSum: unary(ops.batchSum),
  batchMean: unary(ops.batchMean),
  batchReverse: unary(ops.batchReverse),
  batchToAxis: (n, [x]) => ops.batchToAxis(x!, n.shape[0]!),
  axisToBatch: unary(ops.axisToBatch),
  layerNorm: (n, [x, gamma, beta]) => ops.layerNorm(x!, n.attributes.epsilon, gamma === undefined || beta === undefined ? undefined : { gamma, beta }),
  matmul: (n, [a, b]) => ops.matmul(a!, b!, n.attributes),
  linear: (_, [x, weight, bias]) => ops.linear(x!, weight!, bias),
  attention: (n, [q, k, v, bias]) => ops.attention(q!, k!, v!, n.attributes, bias),
  conv2d: (n, [x, weight, bias]) => ops.conv2d(x!, weight!, bias, n.attributes),
  maxPool: (n, [x]) => ops.maxPool(x!, n.attributes),
  averagePool: (n, [x]) => ops.averagePool(x!, n.attributes),
  geluGradient: (n, [x, dy]) => ops.geluGradient(x!, dy!, n.attributes.form),
  softmaxGradient: binary(ops.softmaxGradient),
  layerNormGradient: (n, [x, dy, gamma]) => ops.layerNormGradient(x!, dy!, n.attributes.epsilon, gamma),
  linearWeightGradient: binary(ops.linearWeightGradient),
  conv2dInputGradient: (n, [dy, weight]) => ops.conv2dInputGradient(dy!, weight!, n.attributes, [n.shape[0]!, n.shape[1]!]),
  conv2dWeightGradient: (n, [x, dy]) => ops.conv2dWeightGradient(x!, dy!, n.attributes, [n.shape[2]!, n.shape[3]!]),
  maxPoolGradient: (n, [x, dy]) => ops.maxPoolGradient(x!, dy!, n.attributes),
  after: binary(ops.after),
  remat: (_, [y, ...from]) => ops.remat(y!, from),
  detach: unary(ops.detach),
  fusedLinear: ({ attributes: { activation, residual } }, inputs) => {
    const { x, weight, ...others } = linearOperands(inputs, residual)
    return ops.fusedLinear(x, weight, { ...others, activation })
  },
  packedAttention: (n, [qkv, bias]) => ops.packedAttention(qkv!, n.attributes, bias),
  packedAttentionGradient: (n, [qkv, dy, bias]) => ops.packedAttentionGradient(qkv!, dy!, n.attributes, bias),
  groupNorm: (n, [x, gamma, beta]) => ops.groupNorm(x!, gamma!, beta!, n.attributes),
  groupNormGradient: (n, [x, dy, gamma]) => ops.groupNormGradient(x!, dy!, gamma!, n.attributes),
  squareSum: (_, inputs) => ops.squareSum(inputs),
  elementwise: (n, inputs) => ops.elementwise(inputs, n.attributes.steps),
}

const remake = (node: Tensor): Tensor | string | undefined => {
  try {
    return (table[node.op] as ((n: Tensor, inputs: readonly Tensor[]) => Tensor) | undefined)?.(node, node.inputs)
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}
