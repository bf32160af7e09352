import type { DType, Shape } from '../shape/shape.js'
import { OpError } from './opError.js'
import type { Attributes, OpKind, Tensor } from './tensor.js'

/** A node of the graph, frozen, and with it the list of inputs; a shape that others may change is copied. */
export const node = <K extends OpKind>(op: K, inputs: readonly Tensor[], attributes: Attributes[K], shape: Shape, dtype: DType = 'float32', batched = isBatched(op, inputs, attributes)): Tensor<K> =>
  Object.freeze<Tensor<K>>({ op, inputs: Object.freeze(inputs), attributes, shape: Object.isFrozen(shape) ? shape : Object.freeze([...shape]), dtype, batched })

/** Refuses what an op cannot take. A sentence that says which shapes is made only where it is needed: thousands of nodes are made, and all are right. */
export const demand = (holds: boolean, sentence: string | (() => string)): void => {
  if (!holds) throw new OpError(typeof sentence === 'string' ? sentence : sentence())
}

/**
 * The same node over other inputs: how passes rebuild a graph.
 *
 * @example
 * ops.withInputs(ops.relu(ops.input('x', [3])), [ops.input('y', [3])]).inputs[0].attributes // { name: 'y' }
 */
export const withInputs = (t: Tensor, inputs: readonly Tensor[]): Tensor =>
  inputs.every((x, i) => x === t.inputs[i]) ? t : Object.freeze({ ...t, inputs: Object.freeze([...inputs]), batched: isBatched(t.op, inputs, t.attributes) })

const isBatched = <K extends OpKind>(op: K, inputs: readonly Tensor[], attributes: Attributes[K]): boolean => ((exceptions[op] as Batching<K> | undefined) ?? anyOf)(inputs, attributes)

type Batching<K extends OpKind> = (inputs: readonly Tensor[], attributes: Attributes[K]) => boolean

const anyOf = (inputs: readonly Tensor[]): boolean => inputs.some(x => x.batched)
const first = (inputs: readonly Tensor[]): boolean => inputs[0]!.batched
const never = (): boolean => false

/** Ops whose result has a batch axis for another reason than that an input has one. */
const exceptions: { readonly [K in OpKind]?: Batching<K> } = {
  batchSum: never,
  batchMean: never,
  batchToAxis: never,
  axisToBatch: () => true,
  scatterAdd: (_, { overBatch }) => !overBatch,
  linearWeightGradient: never,
  conv2dWeightGradient: never,
  dropMask: () => true,
  broadcast: inputs => inputs.length === 2 || first(inputs),
  after: first,
  remat: first,
}
