import type { Graph } from '../../../graph/graph.js'
import type { OpKind } from '../../../ops/tensor.js'

/**
 * How far one op may lie from its definition on a backend in single precision, as a part of the largest element of
 * its result. Ops not named here only move or add numbers: 1e-6.
 */
export const opTolerances: Partial<Readonly<Record<OpKind, number>>> = {
  exp: 5e-6,
  divide: 2e-6,
  sqrt: 2e-6,
  tanh: 3e-6,
  sigmoid: 3e-6,
  gelu: 3e-6,
  softmax: 5e-6,
  layerNorm: 5e-6,
  matmul: 5e-6,
  linear: 5e-6,
  attention: 1e-5,
  conv2d: 5e-6,
}

/**
 * The tolerance of a whole graph: that of its least exact op, times the root of how many ops there are, since errors
 * of single precision add up like random steps; `norms` that divide by little may make more of them, hence the factor 4.
 */
export const toleranceOf = ({ nodes }: Pick<Graph, 'nodes'>): number => {
  const worst = nodes.reduce((most, { op }) => Math.max(most, opTolerances[op] ?? 1e-6), 1e-6)
  return 4 * worst * Math.sqrt(Math.max(1, nodes.length))
}
