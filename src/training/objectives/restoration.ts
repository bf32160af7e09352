import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { unpatchify } from '../losses/unpatchify.js'
import type { Random } from '../random.js'
import { imageOf } from './imageOf.js'
import type { Objective, Pictures, Subject, Task } from './objective.js'
import { patchSizeOf } from './patchSizeOf.js'

/** An image with something gone. */
export interface Damaged {
  /** What is left, of the same size. */
  readonly shown: Float32Array
  /** 1 for a pixel that is to be restored, 0 for others: `[height, width]`. */
  readonly lost: Float32Array
}

/** Takes something from one image, `[height, width, channels]`, normalised. */
export type Damage = (image: Float32Array, random: Random, subject: Pick<Subject, 'mean' | 'std'> & { readonly height: number; readonly width: number; readonly channels: number }) => Damaged

/**
 * Learning to restore images: the model sees what is left and gives patches of pixels, `[patches, patchSize² · channels]`;
 * the loss is the mean square error of what was lost. `colourisation` and `inpainting` are made of it.
 *
 * Errors of its aim: `notARestorer`.
 *
 * @example
 * restoration('darkness', {}, image => ({ shown: image.map(() => 0), lost: new Float32Array(64).fill(1) })).name // 'darkness'
 */
export const restoration = (name: string, config: Objective['config'], damage: Damage): Objective => ({
  name,
  config,
  aim: subject => {
    const [train, evaluate] = [taskOf(subject.learning, damage, subject), taskOf(subject.fixed, damage, subject)]
    if (train._tag === 'Left') return train
    return evaluate._tag === 'Left' ? evaluate : right({ image: imageOf(subject.learning), train: train.right.task, evaluate: evaluate.right.task, pictures: evaluate.right.pictures })
  },
})

const taskOf = (graph: Graph, damage: Damage, { mean, std }: Subject): Either<Problem, { readonly task: Task; readonly pictures: Pictures }> => {
  const image = imageOf(graph)
  const { output } = graph
  const side = isTensor(image) && isTensor(output) ? patchSizeOf(output, image) : undefined
  if (side === undefined) return left(problem('notARestorer', 'train: the model does not give the pixels of patches of its image', { remedy: 'take a ViT of the recipes, whose form for this objective does' }))
  const { shape } = image as Tensor
  const [height, width, channels] = shape as readonly [number, number, number]
  const [whole, lost] = [ops.input('@whole', shape), ops.input('@lost', [height, width, 1])]
  const said = unpatchify(output as Tensor, shape, side)
  const miss = ops.subtract(said, whole)
  const total = (x: Tensor): Tensor => ops.batchMean(ops.sum(x, [0, 1, 2]))
  const task: Task = {
    inputs: { x: graph.inputs, whole, lost },
    loss: ops.divide(total(ops.multiply(ops.multiply(miss, miss), lost)), ops.multiply(total(lost), ops.scalar(channels))),
    outputs: {},
    feed: async ({ images, size }, chance) => {
      const random = chance('damage')
      const [x, gone] = [new Float32Array(images.length), new Float32Array(size * height * width)]
      for (let i = 0; i < size; i++) {
        const each = height * width * channels
        const damaged = damage(images.subarray(i * each, (i + 1) * each), random, { height, width, channels, mean, std })
        x.set(damaged.shown, i * each)
        gone.set(damaged.lost, i * height * width)
      }
      return right({ x, whole: images, lost: gone })
    },
  }
  const kept = ops.subtract(ops.scalar(1), lost)
  return right({ task, pictures: { shown: image as Tensor, made: ops.add(ops.multiply(whole, kept), ops.multiply(said, lost)) } })
}
