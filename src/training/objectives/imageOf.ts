import type { Graph } from '../../graph/graph.js'
import { isTensor, type Signal } from '../../ops/tensor.js'

/**
 * Where a model takes its image: its only input, or the one called `x` or `image`.
 *
 * @example
 * imageOf({ inputs: { x: ops.input('x', [8, 8, 3]), noise: ops.input('noise', [4]) } }).shape // [8, 8, 3]
 */
export const imageOf = ({ inputs }: Pick<Graph, 'inputs'>): Signal => (isTensor(inputs) ? inputs : (inputs['x'] ?? inputs['image'] ?? inputs))
