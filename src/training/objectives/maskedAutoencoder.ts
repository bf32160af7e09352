import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { maskedMeanSquared, type MaskedMeanSquaredOptions } from '../losses/maskedMeanSquared.js'
import { patchify } from '../losses/patchify.js'
import { imageOf } from './imageOf.js'
import { maskedPictures } from './maskedPictures.js'
import type { Chance, Objective, Pictures, Task } from './objective.js'
import { patchSizeOf } from './patchSizeOf.js'

/**
 * A masked autoencoder (He et al., 2022): the model takes `{ x, noise: [patches] }` and gives
 * `{ pred: [patches, patchSize² · channels], mask: [patches] }`; noise is drawn for each batch, and the loss is the mean
 * square error of the patches that were not seen.
 *
 * Errors of its aim: `notAnAutoencoder`.
 *
 * @example
 * maskedAutoencoder({ normalisePixels: true }).config // { normalisePixels: true }
 */
export const maskedAutoencoder = (options: MaskedMeanSquaredOptions = {}): Objective => ({
  name: 'maskedAutoencoder',
  config: { ...options },
  aim: ({ learning, fixed }) => {
    const [train, evaluate] = [taskOf(learning, options), taskOf(fixed, options)]
    if (train._tag === 'Left') return train
    return evaluate._tag === 'Left' ? evaluate : right({ image: imageOf(learning), train: train.right.task, evaluate: evaluate.right.task, pictures: evaluate.right.pictures })
  },
})

const taskOf = (graph: Graph, options: MaskedMeanSquaredOptions): Either<Problem, { readonly task: Task; readonly pictures: Pictures }> => {
  const { pred, mask } = isTensor(graph.output) ? {} : (graph.output as Readonly<Record<string, Tensor | undefined>>)
  const { x, noise } = isTensor(graph.inputs) ? {} : (graph.inputs as Readonly<Record<string, Tensor | undefined>>)
  const patchSize = x === undefined || pred === undefined ? undefined : patchSizeOf(pred, x)
  if (x === undefined || noise === undefined || pred === undefined || mask === undefined || patchSize === undefined) {
    return left(problem('notAnAutoencoder', 'train: the model is no masked autoencoder: it must take { x, noise } and give { pred, mask }', { remedy: 'take one of the recipes mae_vit_…, or another objective' }))
  }
  const patches = noise.shape[0] as number
  const task: Task = {
    inputs: { x: graph.inputs },
    loss: maskedMeanSquared(pred, patchify(x, patchSize), mask, options),
    outputs: {},
    feed: async ({ images, size }, chance) => right({ x: { x: images, noise: uniform(size * patches, chance) } }),
  }
  return right({ task, pictures: maskedPictures(x, pred, mask, options) })
}

const uniform = (count: number, chance: Chance): Float32Array => {
  const noise = chance('noise')
  return Float32Array.from({ length: count }, () => noise.uniform())
}
