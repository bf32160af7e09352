import { right } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { crossEntropy } from '../losses/crossEntropy.js'
import { oneHot } from '../losses/oneHot.js'
import { largest } from '../evaluate/tally.js'
import type { Task } from './objective.js'

/**
 * A classifier as it is evaluated, whatever it is trained for: cross-entropy with the labels, and how many are right.
 *
 * @example
 * classified({ inputs: ops.input('x', [8]) }, ops.input('logits', [10])).loss.shape // []
 */
export const classified = ({ inputs }: Pick<Graph, 'inputs'>, logits: Tensor): Task => {
  const y = ops.input('@label', [], 'int32')
  const numClasses = logits.shape[0] as number
  return {
    inputs: { x: inputs, y },
    loss: crossEntropy(logits, oneHot(y, numClasses)),
    outputs: { logits },
    feed: async ({ images, labels }) => right({ x: images, y: labels }),
    hits: ({ logits: given }, _, { labels }) => labels.reduce((sum, label, i) => sum + Number(largest((given as Float32Array).subarray(i * numClasses, (i + 1) * numClasses)) === label), 0),
  }
}
