import { OpError } from '../ops/opError.js'
import * as ops from '../ops/ops.js'
import type { OpKind, Tensor } from '../ops/tensor.js'
import { collectNodes } from './graph.js'

/** What a node becomes when it is computed for every slice at once. */
interface Lifted {
  readonly tensor: Tensor
  /** Whether the axis of slices stands in front; not so where all slices share the value. */
  readonly each: boolean
}

/**
 * A graph written for one slice, made to compute all of them at once: every node that depends on a slice gets
 * an axis in front. `slots` says which nodes stand for one slice, and which tensors `[count, ...]` hold all.
 * What does not depend on a slot (weights, and what follows from them) stays as it is; a drop mask is drawn
 * for each slice on its own, and the batch is all slices of all samples.
 *
 * Errors: throws `OpError` for an op that has no axis to spare (a convolution, a pooling window).
 *
 * @example
 * ((slot, all) => vectorise(4, new Map([[slot, all]]))(ops.relu(slot)).shape)(ops.input('slot', [2]), ops.input('all', [4, 2])) // [4, 2]
 */
export const vectorise = (count: number, slots: ReadonlyMap<Tensor, Tensor>): ((t: Tensor) => Tensor) => {
  const done = new Map<Tensor, Lifted>([...slots].map(([slot, tensor]) => [slot, { tensor, each: true }]))
  const lifted = (n: Tensor): Lifted => {
    const inputs = n.inputs.map(x => done.get(x)!)
    if (n.op !== 'dropMask' && n.op !== 'batchSize' && !inputs.some(x => x.each)) return { tensor: ops.withInputs(n, inputs.map(x => x.tensor)), each: false }
    return (rules[n.op] as Rule)(n, inputs, count)
  }
  return t => {
    for (const n of collectNodes([t], new Set(done.keys()))) done.set(n, lifted(n))
    return done.get(t)!.tensor
  }
}

type Rule<K extends OpKind = OpKind> = (n: Tensor<K>, inputs: readonly Lifted[], count: number) => Lifted
type Rules = { readonly [K in OpKind]: Rule<K> }

const each = (tensor: Tensor): Lifted => ({ tensor, each: true })
const shifted = (axes: readonly number[]): readonly number[] => axes.map(axis => axis + 1)

/** Broadcasting aligns axes at the right, so a value all slices share needs no axis of its own. */
const binary = (op: (a: Tensor, b: Tensor) => Tensor) => (_: Tensor, [a, b]: readonly Lifted[]): Lifted => each(op(a!.tensor, b!.tensor))
const unary = (op: (x: Tensor) => Tensor) => (_: Tensor, [x]: readonly Lifted[]): Lifted => each(op(x!.tensor))
const reduction = (op: (x: Tensor, axes: readonly number[], keepDims: boolean) => Tensor) => (n: Tensor<'sum' | 'mean' | 'max'>, [x]: readonly Lifted[]): Lifted =>
  each(op(x!.tensor, shifted(n.attributes.axes), n.attributes.keepDims))

const impossible = (n: Tensor): never => {
  throw new OpError(`${n.op} cannot run on several slices at once`)
}
const shared = (n: Tensor, x: Lifted | undefined): Tensor => (x!.each ? impossible(n) : x!.tensor)
/** The axis made, for ops that do not broadcast. */
const spread = (x: Lifted, count: number): Tensor => (x.each ? x.tensor : ops.add(ops.reshape(x.tensor, [1, ...x.tensor.shape]), ops.constant(new Float32Array(count), [count, ...x.tensor.shape.map(() => 1)])))

const rules: Rules = {
  input: impossible,
  parameter: impossible,
  constant: impossible,
  dropMask: (n, _, count) => each(ops.dropMask(n.attributes.stream, n.attributes.keep, [count, ...n.shape])),
  add: binary(ops.add),
  subtract: binary(ops.subtract),
  multiply: binary(ops.multiply),
  divide: binary(ops.divide),
  maximum: binary(ops.maximum),
  exp: unary(ops.exp),
  sqrt: unary(ops.sqrt),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  relu: unary(ops.relu),
  gelu: (n, [x]) => each(ops.gelu(x!.tensor, n.attributes.form)),
  reshape: (n, [x], count) => each(ops.reshape(x!.tensor, [count, ...n.shape])),
  transpose: (n, [x]) => each(ops.transpose(x!.tensor, [0, ...shifted(n.attributes.perm)])),
  slice: (n, [x], count) => each(ops.slice(x!.tensor, [0, ...n.attributes.begin], [count, ...n.shape])),
  concat: (n, inputs, count) => each(ops.concat(inputs.map(x => spread(x, count)), n.attributes.axis + 1)),
  gather: (n, [table, indices]) => each(ops.gather(shared(n, table), indices!.tensor)),
  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  max: reduction(ops.max),
  batchSize: (n, _, count) => ({ tensor: ops.multiply(n, ops.scalar(count)), each: false }),
  batchMean: (_, [x]) => ({ tensor: ops.mean(ops.batchMean(x!.tensor), [0]), each: false }),
  softmax: unary(ops.softmax),
  layerNorm: (n, [x, gamma, beta]) => each(ops.layerNorm(x!.tensor, n.attributes.epsilon, gamma === undefined ? undefined : { gamma: shared(n, gamma), beta: shared(n, beta) })),
  matmul: (n, [a, b]) => each(ops.matmul(a!.tensor, b!.tensor, n.attributes)),
  linear: (n, [x, weight, bias]) => each(ops.linear(x!.tensor, shared(n, weight), bias === undefined ? undefined : shared(n, bias))),
  attention: (n, [q, k, v, bias], count) => each(ops.attention(spread(q!, count), spread(k!, count), spread(v!, count), n.attributes, bias?.tensor)),
  conv2d: impossible,
  maxPool: impossible,
  averagePool: impossible,
}
