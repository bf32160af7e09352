import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { maskedMeanSquared } from '../losses/maskedMeanSquared.js'
import { patchify } from '../losses/patchify.js'
import { imageOf } from './imageOf.js'
import { maskedPictures } from './maskedPictures.js'
import type { Objective, Pictures, Task } from './objective.js'
import { patchSizeOf } from './patchSizeOf.js'

/** Options of {@link maskedPatches}. */
export interface MaskedPatchesOptions {
  /** How often a patch is hidden (default 0.5): an option of the form that is trained. */
  readonly hiddenShare?: number
}

/**
 * ViT's own self-supervision (Dosovitskiy et al., 2020, appendix B.1.2): what was behind patches that a learned token
 * replaces, by the square error of all their pixels. The model hides them itself, in training mode, with `hideTokens`, and
 * gives `[patches, patchSize² · channels]`; validation hides patches too, the same ones each time.
 *
 * Errors of its aim: `hidesNothing`.
 *
 * @example
 * maskedPatches().name // 'maskedPatches'
 */
export const maskedPatches = (options: MaskedPatchesOptions = {}): Objective => ({
  name: 'maskedPatches',
  config: { ...options },
  aim: ({ learning }) => {
    const made = taskOf(learning)
    return made._tag === 'Left' ? made : right({ image: imageOf(learning), train: made.right.task, evaluate: made.right.task, pictures: made.right.pictures })
  },
})

const taskOf = (graph: Graph): Either<Problem, { readonly task: Task; readonly pictures: Pictures }> => {
  const [image, { output }] = [imageOf(graph), graph]
  const hidden = [...graph.features].find(([name]) => /(^|\.)hide\.mask$/.test(name))?.[1]
  const side = isTensor(image) && isTensor(output) ? patchSizeOf(output, image) : undefined
  if (side === undefined || hidden === undefined || !isTensor(hidden)) return left(problem('hidesNothing', 'train: the model hides no patches, or does not say what was behind them', { remedy: 'take a ViT of the recipes, whose form for this objective does, or the layer maskedPatchPrediction' }))
  const mask = ops.reshape(hidden, hidden.shape.slice(0, 1))
  return right({
    task: {
      inputs: { x: graph.inputs },
      loss: maskedMeanSquared(output as Tensor, patchify(image as Tensor, side), mask),
      outputs: {},
      feed: async ({ images }) => right({ x: images }),
    },
    pictures: maskedPictures(image as Tensor, output as Tensor, mask),
  })
}
