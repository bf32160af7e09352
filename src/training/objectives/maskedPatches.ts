import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { logSoftmax } from '../losses/logSoftmax.js'
import { maskedMeanSquared } from '../losses/maskedMeanSquared.js'
import { oneHot } from '../losses/oneHot.js'
import { patchify } from '../losses/patchify.js'
import { imageOf } from './imageOf.js'
import { maskedPictures } from './maskedPictures.js'
import { meanColours } from './meanColours.js'
import type { Objective, Pictures, Subject, Task } from './objective.js'
import { patchSizeOf } from './patchSizeOf.js'

/** Options of {@link maskedPatches}; both are also options of the form that is trained. */
export interface MaskedPatchesOptions {
  /** How often a patch is hidden (default 0.5). */
  readonly hiddenShare?: number
  /** What is told of a hidden patch: all its pixels, by their square error, or its mean colour in eight steps a channel, as a class (default `pixels`). */
  readonly target?: 'pixels' | 'meanColour'
}

/**
 * ViT's own self-supervision (Dosovitskiy et al., 2020, appendix B.1.2): what was behind patches that a learned token
 * replaces. The model hides them itself, in training mode, with `hideTokens`, and gives `[patches, patchSize² · channels]`, or
 * of mean colours `[patches, 8^channels]`; validation hides patches too, the same ones each time.
 *
 * Errors of its aim: `hidesNothing`.
 *
 * @example
 * maskedPatches({ target: 'meanColour' }).name // 'maskedPatches'
 */
export const maskedPatches = (options: MaskedPatchesOptions = {}): Objective => ({
  name: 'maskedPatches',
  config: { ...options },
  aim: ({ learning, mean, std }) => {
    const made = options.target === 'meanColour' ? colours(learning, { mean, std }) : pixels(learning)
    return made._tag === 'Left' ? made : right({ image: imageOf(learning), train: made.right.task, evaluate: made.right.task, ...(made.right.pictures === undefined ? {} : { pictures: made.right.pictures }) })
  },
})

interface Made {
  readonly task: Task
  readonly pictures?: Pictures
}

const pixels = (graph: Graph): Either<Problem, Made> => {
  const hidden = hiddenIn(graph)
  const side = hidden === undefined ? undefined : patchSizeOf(hidden.said, hidden.image)
  if (hidden === undefined || side === undefined) return left(hidesNothing())
  const { image, said, mask } = hidden
  return right({
    task: { inputs: { x: graph.inputs }, loss: maskedMeanSquared(said, patchify(image, side), mask), outputs: {}, feed: async ({ images }) => right({ x: images }) },
    pictures: maskedPictures(image, said, mask),
  })
}

const colours = (graph: Graph, normalised: Pick<Subject, 'mean' | 'std'>): Either<Problem, Made> => {
  const hidden = hiddenIn(graph)
  if (hidden === undefined || hidden.image.shape.length !== 3 || hidden.said.shape[1] !== 8 ** hidden.image.shape[2]!) return left(hidesNothing())
  const { image, said, mask } = hidden
  const [patches, classes] = said.shape as readonly [number, number]
  const y = ops.input('@colours', [patches], 'int32')
  const misses = ops.multiply(ops.scalar(-1), ops.sum(ops.multiply(oneHot(y, classes), logSoftmax(said)), [1]))
  const total = (x: Tensor): Tensor => ops.batchMean(ops.sum(x, [0]))
  const [height, width, channels] = image.shape as readonly [number, number, number]
  const task: Task = {
    inputs: { x: graph.inputs, y },
    loss: ops.divide(total(ops.multiply(misses, mask)), total(mask)),
    outputs: {},
    feed: async ({ images, size }) => right({ x: images, y: meanColours(images, size, { height, width, channels, patches }, normalised) }),
  }
  return right({ task })
}

interface Hidden {
  readonly image: Tensor
  readonly said: Tensor
  /** 1 for a patch that is hidden, `[patches]`. */
  readonly mask: Tensor
}

const hiddenIn = (graph: Graph): Hidden | undefined => {
  const [image, { output: said }] = [imageOf(graph), graph]
  const hidden = [...graph.features].find(([name]) => /(^|\.)hide\.mask$/.test(name))?.[1]
  return hidden !== undefined && isTensor(hidden) && isTensor(image) && isTensor(said) && said.shape.length === 2 && said.shape[0] === hidden.shape[0] ? { image, said, mask: ops.reshape(hidden, hidden.shape.slice(0, 1)) } : undefined
}

const hidesNothing = (): Problem => problem('hidesNothing', 'train: the model hides no patches, or does not say what was behind them', { remedy: 'take a ViT of the recipes, whose form for this objective does, or the layer maskedPatchPrediction' })
