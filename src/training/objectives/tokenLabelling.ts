import { left, right, type Either } from 'fp-ts/lib/Either.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Tensor } from '../../ops/tensor.js'
import type { Graph } from '../../graph/graph.js'
import { problem, type Problem } from '../../shape/problem.js'
import { largest } from '../evaluate/tally.js'
import { oneHot } from '../losses/oneHot.js'
import { tokenLabelling as dense, type ImageLabels } from '../losses/tokenLabelling.js'
import { beta } from '../mixing/beta.js'
import { boxMask } from '../mixing/boxMask.js'
import { cutBox } from '../mixing/cutBox.js'
import type { Random } from '../random.js'
import { classified } from './classified.js'
import { imageOf } from './imageOf.js'
import { logitsOf } from './logitsOf.js'
import type { Objective } from './objective.js'
import { lessons, taught, teacherMisfit } from './taught.js'
import type { Teacher } from './teacher.js'

/** Options of {@link tokenLabelling}. */
export interface TokenLabellingObjective {
  /** Who labels the tokens, and the image beside the person who did: its probabilities (default: the image's label for all). */
  readonly teacher?: Teacher
  /** Alpha of the beta distribution from which the share of a sample's own tokens is drawn (default 1; 0: no MixToken). */
  readonly mixToken?: number
  /** Of the image's loss (default 1). */
  readonly imageWeight?: number
  /** Of the tokens' (default 0.5, as in the paper). */
  readonly tokenWeight?: number
}

/**
 * Token labelling with MixToken (Jiang et al., 2021, "All tokens matter", section 3). The form that is trained takes
 * `{ x, inside: [rows, columns] }` and gives `{ head: [numClasses], aux_head: [tokens, numClasses] }`; a box of tokens is
 * drawn for each batch. The model itself is validated.
 *
 * Errors of its aim: `notATokenLabeller`, `notAClassifier`, `teacherMisfit`.
 *
 * @example
 * tokenLabelling({ mixToken: 1 }).config // { mixToken: 1 }
 */
export const tokenLabelling = ({ teacher, ...options }: TokenLabellingObjective = {}): Objective => ({
  name: 'tokenLabelling',
  config: { ...options, ...(teacher === undefined ? {} : { teacher: teacher.about }) },
  ...(teacher === undefined ? {} : { bytes: teacher.bytes }),
  aim: ({ learning, fixed, mean, std }) => {
    const [parts, used] = [partsOf(learning), logitsOf(fixed)]
    if (parts._tag === 'Left') return parts
    if (used._tag === 'Left') return used
    const { head, tokens, rows, columns } = parts.right
    const numClasses = head.shape[0] as number
    const image = imageOf(learning)
    const wrong = teacher === undefined ? undefined : teacherMisfit(teacher, image, false)
    if (wrong !== undefined) return left(wrong)
    const said = teacher === undefined ? undefined : lessons(teacher)
    const [y, lambda] = [ops.input('@label', [], 'int32'), ops.input('@lambda', [])]
    const truth = oneHot(y, numClasses)
    const labels: ImageLabels = said === undefined ? { image: truth } : { image: ops.softmax(said.logits), truth }
    const partners: ImageLabels = { image: ops.batchReverse(labels.image), ...(labels.truth === undefined ? {} : { truth: ops.batchReverse(labels.truth) }) }
    const { mixToken = 1, imageWeight = 1, tokenWeight = 0.5 } = options
    return right({
      image,
      numClasses,
      score: 'accuracy',
      train: {
        inputs: { x: learning.inputs, y, lambda, ...(said === undefined ? {} : { teacher: said.logits }), ...(said?.tokens === undefined ? {} : { tokens: said.tokens }) },
        loss: dense(head, tokens, labels, { ...(said?.tokens === undefined ? {} : { tokens: ops.softmax(said.tokens) }), mixed: { labels: partners, lambda }, imageWeight, tokenWeight }),
        outputs: { logits: head },
        feed: async (batch, chance) => {
          const { images, labels: y, size } = batch
          const { inside, lambda } = mixToken === 0 ? { inside: new Float32Array(rows * columns), lambda: 1 } : drawn(mixToken, rows, columns, chance('box'))
          const heard = teacher === undefined ? right({}) : await taught(teacher, batch, images, { mean, std })
          if (heard._tag === 'Left') return heard
          const { logits, tokens } = heard.right as { readonly logits?: Float32Array; readonly tokens?: Float32Array }
          return right({ x: { x: images, inside: repeated(inside, size) }, y, lambda: new Float32Array(size).fill(lambda), ...(logits === undefined ? {} : { teacher: logits }), ...(tokens === undefined ? {} : { tokens }) })
        },
        // What is right is what most of the tokens are of.
        hits: ({ logits }, fed, { labels: own, size }) =>
          own.reduce((sum, label, i) => sum + Number(largest((logits as Float32Array).subarray(i * numClasses, (i + 1) * numClasses)) === ((fed['lambda'] as Float32Array)[0]! < 0.5 ? own[size - 1 - i] : label)), 0),
      },
      evaluate: classified(fixed, used.right),
    })
  },
})

const drawn = (alpha: number, height: number, width: number, random: Random): { readonly inside: Float32Array; readonly lambda: number } => {
  const share = beta(alpha, random)
  const { lambda, ...box } = cutBox({ height, width }, share, [random.below(height), random.below(width)])
  return { inside: boxMask({ height, width }, box), lambda }
}

const repeated = (values: Float32Array, times: number): Float32Array => {
  const all = new Float32Array(values.length * times)
  for (let i = 0; i < times; i++) all.set(values, i * values.length)
  return all
}

interface Parts {
  readonly head: Tensor
  readonly tokens: Tensor
  readonly rows: number
  readonly columns: number
}

const partsOf = ({ inputs, output }: Graph): Either<Problem, Parts> => {
  const { head, aux_head: tokens } = isTensor(output) ? {} : (output as Readonly<Record<string, Tensor | undefined>>)
  const { inside } = isTensor(inputs) ? {} : (inputs as Readonly<Record<string, Tensor | undefined>>)
  if (head === undefined || tokens === undefined || inside === undefined) return left(problem('notATokenLabeller', 'train: the model does not label tokens: it must take { x, inside } and give { head, aux_head }', { remedy: 'take one of the recipes lvvit_…, or the layer lvvitTraining' }))
  return right({ head, tokens, rows: inside.shape[0] as number, columns: inside.shape[1] as number })
}
