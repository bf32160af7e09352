import { OpError } from '../ops/opError.js'
import * as ops from '../ops/ops.js'
import type { OpKind, Tensor } from '../ops/tensor.js'
import { partsOf, type FusedKind } from '../ops/unfused.js'
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
  return t => {
    for (const n of collectNodes([t], new Set(done.keys()))) done.set(n, lifted(n, done, count))
    return done.get(t)!.tensor
  }
}

const lifted = (n: Tensor, done: ReadonlyMap<Tensor, Lifted>, count: number): Lifted => {
  const inputs = n.inputs.map(x => done.get(x)!)
  if (!countsSlices.has(n.op) && !inputs.some(x => x.each)) return { tensor: ops.withInputs(n, inputs.map(x => x.tensor)), each: false }
  return (rules[n.op] as Rule)(n, inputs, count)
}

/** A fused op is lifted part by part. */
const byParts = (n: Tensor<FusedKind>, inputs: readonly Lifted[], count: number): Lifted => {
  const done = new Map(n.inputs.map((x, i) => [x, inputs[i]!]))
  const parts = partsOf(n)
  for (const part of parts) done.set(part, lifted(part, done, count))
  return done.get(parts.at(-1)!)!
}

/** Ops that mean something else where every sample is many slices, even for values that all slices share. */
const countsSlices: ReadonlySet<OpKind> = new Set(['dropMask', 'batchSize', 'batchSum', 'broadcast', 'scatterAdd', 'linearWeightGradient', 'conv2dWeightGradient', 'batchReverse', 'batchToAxis', 'axisToBatch'])

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
/** One axis put elsewhere among the others. */
const moved = (t: Tensor, axis: number, to: number): Tensor => {
  const perm = t.shape.map((_, i) => i).filter(i => i !== axis)
  perm.splice(to, 0, axis)
  return ops.transpose(t, perm)
}
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
  minimum: binary(ops.minimum),
  power: (n, [x]) => each(ops.power(x!.tensor, n.attributes.exponent)),
  exp: unary(ops.exp),
  log: unary(ops.log),
  sqrt: unary(ops.sqrt),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  relu: unary(ops.relu),
  step: unary(ops.step),
  gelu: (n, [x]) => each(ops.gelu(x!.tensor, n.attributes.form)),
  reshape: (n, [x], count) => each(ops.reshape(x!.tensor, [count, ...n.shape])),
  transpose: (n, [x]) => each(ops.transpose(x!.tensor, [0, ...shifted(n.attributes.perm)])),
  slice: (n, [x], count) => each(ops.slice(x!.tensor, [0, ...n.attributes.begin], [count, ...n.shape])),
  pad: (n, [x], count) => each(ops.pad(x!.tensor, [0, ...n.attributes.begin], [count, ...n.shape])),
  broadcast: (n, [x], count) => !n.batched && !x!.each ? { tensor: ops.withInputs(n, [x!.tensor]), each: false } : each(ops.broadcast(spread(x!, 1), [count, ...n.shape], n.batched)),
  concat: (n, inputs, count) => each(ops.concat(inputs.map(x => spread(x, count)), n.attributes.axis + 1)),
  // Rows of each slice, picked by numbers all slices share: the slices step behind the rows meanwhile.
  gather: (n, [table, indices]) => {
    if (!table!.each) return each(ops.gather(table!.tensor, indices!.tensor))
    return each(moved(ops.gather(moved(table!.tensor, 0, 1), shared(n, indices)), n.inputs[1]!.shape.length, 0))
  },
  scatterAdd: (n, [indices, values], count) => {
    if (n.attributes.overBatch) return impossible(n)
    return each(moved(ops.scatterAdd(shared(n, indices), moved(spread(values!, count), 0, n.inputs[0]!.shape.length), n.shape[0]!, false), 1, 0))
  },
  argsort: (n, [x]) => each(ops.argsort(x!.tensor, n.attributes)),
  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  max: reduction(ops.max),
  batchSize: (n, _, count) => ({ tensor: ops.multiply(n, ops.scalar(count)), each: false }),
  batchSum: (_, [x], count) => ({ tensor: x!.each ? ops.sum(ops.batchSum(x!.tensor), [0]) : ops.multiply(ops.batchSum(x!.tensor), ops.scalar(count)), each: false }),
  batchMean: (_, [x]) => ({ tensor: ops.mean(ops.batchMean(x!.tensor), [0]), each: false }),
  batchReverse: impossible,
  batchToAxis: impossible,
  axisToBatch: impossible,
  softmax: unary(ops.softmax),
  layerNorm: (n, [x, gamma, beta]) => each(ops.layerNorm(x!.tensor, n.attributes.epsilon, gamma === undefined ? undefined : { gamma: shared(n, gamma), beta: shared(n, beta) })),
  matmul: (n, [a, b]) => each(ops.matmul(a!.tensor, b!.tensor, n.attributes)),
  linear: (n, [x, weight, bias]) => each(ops.linear(x!.tensor, shared(n, weight), bias === undefined ? undefined : shared(n, bias))),
  attention: (n, [q, k, v, bias], count) => each(ops.attention(spread(q!, count), spread(k!, count), spread(v!, count), n.attributes, bias?.tensor)),
  conv2d: impossible,
  maxPool: impossible,
  averagePool: impossible,
  geluGradient: (n, [x, dy], count) => each(ops.geluGradient(spread(x!, count), spread(dy!, count), n.attributes.form)),
  softmaxGradient: (_, [y, dy], count) => each(ops.softmaxGradient(spread(y!, count), spread(dy!, count))),
  layerNormGradient: (n, [x, dy, gamma], count) => each(ops.layerNormGradient(spread(x!, count), spread(dy!, count), n.attributes.epsilon, gamma === undefined ? undefined : shared(n, gamma))),
  linearWeightGradient: impossible,
  conv2dInputGradient: impossible,
  conv2dWeightGradient: impossible,
  maxPoolGradient: impossible,
  after: (_, [x, awaited]) => ({ tensor: ops.after(x!.tensor, awaited!.tensor), each: x!.each }),
  remat: (_, [y, ...from]) => ({ tensor: ops.remat(y!.tensor, from.map(x => x.tensor)), each: y!.each }),
  detach: (_, [x]) => ({ tensor: ops.detach(x!.tensor), each: x!.each }),
  fusedLinear: byParts,
  packedAttention: byParts,
  packedAttentionGradient: byParts,
  groupNorm: byParts,
  groupNormGradient: byParts,
  squareSum: byParts,
  elementwise: byParts,
}
