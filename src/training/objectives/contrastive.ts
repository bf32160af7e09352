import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { largest } from '../evaluate/tally.js'
import { contrastive as compare, similarities, type ContrastiveOptions } from '../losses/contrastive.js'
import { padTokens } from '../text/padTokens.js'
import type { Tokenizer } from '../text/tokenizer.js'
import { imageOf } from './imageOf.js'
import type { Objective, Source, Task } from './objective.js'

/** Options of {@link contrastive}. */
export interface ContrastiveObjective extends ContrastiveOptions {
  readonly tokenizer: Tokenizer
  /** What tells the tokenizer from others, for checkpoints. */
  readonly vocabulary?: string
}

/**
 * Telling which text belongs to which image of a batch (Radford et al., 2021, CLIP; Jia et al., 2021, ALIGN, with
 * `smoothing: 0.1, both: 'sum'`). The model takes `{ image, text: integers [tokens] }` and gives
 * `{ image_features: [dim], text_features: [dim], scale: [] }`. The data are pairs: what their classes are called are the
 * texts. `retrieval` is the share of images whose text is the nearest among those of its batch.
 *
 * Errors of its aim: `notATwoTowerModel`, `textMalformed`.
 *
 * @example
 * contrastive({ tokenizer: byteTokenizer, vocabulary: 'bytes' }).config // { vocabulary: 'bytes' }
 */
export const contrastive = ({ tokenizer, ...options }: ContrastiveObjective): Objective => ({
  name: 'contrastive',
  config: { ...options },
  aim: ({ learning, fixed, batchSize, train: learned, validation }) => {
    const [train, evaluate] = [taskOf(learning, batchSize, learned, tokenizer, options), taskOf(fixed, batchSize, validation, tokenizer, options)]
    if (train._tag === 'Left') return train
    return evaluate._tag === 'Left' ? evaluate : right({ image: imageOf(learning), score: 'retrieval', isWhole: true, train: train.right, evaluate: evaluate.right })
  },
})

const taskOf = (graph: Graph, samples: number, source: Source, tokenizer: Tokenizer, options: ContrastiveOptions): Either<Problem, Task> => {
  const { image, text } = isTensor(graph.inputs) ? {} : (graph.inputs as Readonly<Record<string, Tensor | undefined>>)
  const { image_features: ofImages, text_features: ofTexts, scale } = isTensor(graph.output) ? {} : (graph.output as Readonly<Record<string, Tensor | undefined>>)
  if (image === undefined || text === undefined || ofImages === undefined || ofTexts === undefined || scale === undefined) {
    return left(problem('notATwoTowerModel', 'train: the model does not compare images with texts: it must take { image, text } and give { image_features, text_features, scale }', { remedy: 'take one of the recipes clip_…, or a dualEncoder' }))
  }
  const length = text.shape[0] as number
  const tokens = tokensOf(source, length, tokenizer)
  if (tokens._tag === 'Left') return tokens
  const [images, texts] = [ofImages, ofTexts].map(each => ops.batchToAxis(each, samples)) as [Tensor, Tensor]
  return right({
    inputs: { x: graph.inputs },
    loss: compare(images, texts, scale, options),
    outputs: { similar: similarities(images, texts, scale) },
    feed: async ({ images, labels, size }) => {
      const fed = new Int32Array(size * length)
      labels.forEach((label, i) => fed.set(tokens.right.subarray(label * length, (label + 1) * length), i * length))
      return right({ x: { image: images, text: fed } })
    },
    // Two samples may have the same text; either will do.
    hits: ({ similar }, _, { labels, size }) => labels.reduce((sum, label, i) => sum + Number(labels[largest((similar as Float32Array).subarray(i * size, (i + 1) * size))] === label), 0),
  })
}

const tokensOf = ({ classes }: Source, length: number, tokenizer: Tokenizer): Either<Problem, Int32Array> => {
  const all: (readonly number[])[] = []
  for (const text of classes) {
    const encoded = tokenizer.encode(text)
    const padded = encoded._tag === 'Left' ? encoded : padTokens([encoded.right], length)
    if (padded._tag === 'Left') return left({ ...padded.left, code: 'textMalformed', sentence: `train: '${text.length > 60 ? `${text.slice(0, 57)}…` : text}': ${padded.left.sentence.replace('text 1 has', 'the text has')}` })
    all.push(Array.from(padded.right))
  }
  return right(Int32Array.from(all.flat()))
}
