import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show } from '../../shape/shape.js'
import { largest } from '../evaluate/tally.js'
import { oneHot } from '../losses/oneHot.js'
import type { Loss } from '../losses/lossOf.js'
import { imageOf } from './imageOf.js'
import { logitsOf } from './logitsOf.js'
import type { Feed, Objective, Task } from './objective.js'
import { turned } from './turned.js'

/**
 * Telling by how many quarters an image was turned (Gidaris et al., 2018): each sample is turned by 0, 90, 180 or 270
 * degrees, drawn anew each time, and the model gives four logits. Its weights are then fine-tuned for something else.
 *
 * Errors of its aim: `notAClassifier`, `notFourClasses`, `notSquare`.
 *
 * @example
 * rotation().name // 'rotation'
 */
export const rotation = (): Objective => ({
  name: 'rotation',
  config: {},
  aim: ({ learning, fixed, loss }) => {
    const [train, evaluate] = [taskOf(learning, loss), taskOf(fixed, loss)]
    if (train._tag === 'Left') return train
    return evaluate._tag === 'Left' ? evaluate : right({ image: imageOf(learning), score: 'accuracy', train: train.right, evaluate: evaluate.right })
  },
})

const taskOf = (graph: Graph, loss: Loss): Either<Problem, Task> => {
  const logits = logitsOf(graph)
  if (logits._tag === 'Left') return logits
  const image = imageOf(graph)
  if (logits.right.shape[0] !== 4) return left(problem('notFourClasses', `train: images are turned in four ways, but the model tells ${logits.right.shape[0]} apart`, { remedy: 'give it another head: the option numClasses: 4 of a recipe, or replaceHead(model, 4)' }))
  if (!isTensor(image) || image.shape.length !== 3 || image.shape[0] !== image.shape[1]) return left(problem('notSquare', `train: only square images can be turned, and the model takes ${isTensor(image) ? show(image.shape) : 'a record'}`))
  const y = ops.input('@turns', [], 'int32')
  return right({
    inputs: { x: graph.inputs, y },
    loss: loss(logits.right, oneHot(y, 4)),
    outputs: { logits: logits.right },
    feed: feedOf(image),
    hits: ({ logits: given }, fed) => (fed['y'] as Int32Array).reduce((sum, turns, i) => sum + Number(largest((given as Float32Array).subarray(4 * i, 4 * i + 4)) === turns), 0),
  })
}

const feedOf = ({ shape }: Tensor): Feed => {
  const [side, , channels] = shape as readonly [number, number, number]
  const each = side * side * channels
  return async ({ images, size }, chance) => {
    const random = chance('turns')
    const y = Int32Array.from({ length: size }, () => random.below(4))
    const x = new Float32Array(images.length)
    y.forEach((turns, i) => x.set(turned(images.subarray(i * each, (i + 1) * each), side, channels, turns), i * each))
    return right({ x, y })
  }
}
