import { right } from 'fp-ts/lib/Either.js'
import type { MixOptions } from '../mixing/drawMix.js'
import { classified } from './classified.js'
import { imageOf } from './imageOf.js'
import { labelled } from './labelled.js'
import { logitsOf } from './logitsOf.js'
import type { Objective } from './objective.js'

/** Options of {@link classification}. */
export interface ClassificationOptions {
  /** How samples of a batch are mixed with each other (default: not). */
  readonly mix?: MixOptions
}

/**
 * Telling classes apart, by the training's `loss`. With `mix`, samples of a batch are mixed by MixUp or CutMix, and what
 * is right is what most of the image is. The model gives `[numClasses]`.
 *
 * Errors of its aim: `notAClassifier`, `notAnImageModel`.
 *
 * @example
 * classification({ mix: { mixUp: 0.8, cutMix: 1 } }).name // 'classification'
 */
export const classification = ({ mix }: ClassificationOptions = {}): Objective => ({
  name: 'classification',
  config: mix === undefined ? {} : { mix },
  aim: ({ learning, fixed, loss }) => {
    const [logits, used] = [logitsOf(learning), logitsOf(fixed)]
    if (logits._tag === 'Left') return logits
    if (used._tag === 'Left') return used
    const image = imageOf(learning)
    const numClasses = logits.right.shape[0] as number
    const labels = labelled(image, numClasses, mix)
    if (labels._tag === 'Left') return labels
    const { y, targets, feed, hits } = labels.right
    return right({
      image,
      numClasses,
      score: 'accuracy',
      train: {
        inputs: { x: learning.inputs, y },
        loss: loss(logits.right, targets),
        outputs: { logits: logits.right },
        feed: async (batch, chance) => {
          const made = feed(batch, chance)
          return right({ x: made.images, y: made.y })
        },
        hits: (outputs, fed) => hits(outputs['logits'] as Float32Array, fed['y'] as Int32Array | Float32Array),
      },
      evaluate: classified(fixed, used.right),
    })
  },
})
