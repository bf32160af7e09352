import type { OpKind, Tensor } from '../../ops/tensor.js'

/** A node's gradient for one input, made only if it is wanted; nothing where it is always zero. */
export type Contribution = (() => Tensor) | undefined

/** The same value by other ops; `origins` says which node each of them stands for, where that is not the node itself. */
export interface Instead {
  readonly instead: Tensor
  readonly origins?: ReadonlyMap<Tensor, Tensor>
}

/**
 * The gradients of a node for its inputs, given `dy`, the gradient for the node itself, in its shape and batch.
 * Contributions may be of a broader shape or batch than the input: they are summed to fit.
 *
 * A rule may instead give another way to compute the node from nodes already there, to be differentiated in its stead.
 */
export type Rule<K extends OpKind = OpKind> = (node: Tensor<K>, dy: Tensor) => readonly Contribution[] | Instead
