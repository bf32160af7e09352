import { left, right, type Either } from 'fp-ts/lib/Either.js'
import * as ops from '../../ops/ops.js'
import { isTensor, type Signal, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { pruned, type PrunedOptions, type PrunedOutputs } from '../losses/pruned.js'
import type { MixOptions } from '../mixing/drawMix.js'
import { classified } from './classified.js'
import { imageOf } from './imageOf.js'
import { labelled } from './labelled.js'
import { logitsOf } from './logitsOf.js'
import type { Objective } from './objective.js'
import { lessons, taught, teacherMisfit } from './taught.js'
import type { Teacher } from './teacher.js'

/** Options of {@link pruning}. */
export interface PruningObjective extends Omit<PrunedOptions, 'compare'> {
  /** Its own backbone with all tokens, mostly; it must also give these. */
  readonly teacher: Teacher
  /** How samples of a batch are mixed; the teacher sees them mixed. */
  readonly mix?: MixOptions
}

/**
 * Learning which tokens to drop (Rao et al., 2021, "DynamicViT", section 3.3), from labels, from the shares to be kept and
 * from a teacher. The form that is trained gives `{ head: [numClasses], tokens: [tokens, dim], keep_0: [tokens], … }`, or
 * `aux_head: [tokens, numClasses]` in place of `tokens`, which are then compared as logits. The model that really drops
 * tokens is validated.
 *
 * Errors of its aim: `notAPruner`, `notAClassifier`, `teacherMisfit`.
 *
 * @example
 * pruning({ teacher: { about: 'a', gives: { logits: [10], tokens: [4, 8] }, see: () => async () => left(problem('away', 'away')), bytes: () => right({ parameters: 0, peak: 0 }), close: () => {} }, shares: [0.7] }).name // 'pruning'
 */
export const pruning = ({ teacher, mix, ...options }: PruningObjective): Objective => ({
  name: 'pruning',
  config: { ...options, teacher: teacher.about, ...(mix === undefined ? {} : { mix }) },
  bytes: teacher.bytes,
  aim: ({ learning, fixed, loss, mean, std }) => {
    const [outputs, used] = [outputsOf(learning.output), logitsOf(fixed)]
    if (outputs._tag === 'Left') return outputs
    if (used._tag === 'Left') return used
    const image = imageOf(learning)
    const { logits, tokens, compare } = outputs.right
    const labels = labelled(image, logits.shape[0] as number, mix)
    if (labels._tag === 'Left') return labels
    const wrong = teacherMisfit(teacher, image, mix !== undefined)
    if (wrong !== undefined) return left(wrong)
    const said = lessons(teacher)
    if (said.tokens === undefined) return left(problem('teacherMisfit', 'train: the teacher does not give its tokens, from which pruning is learned too', { remedy: "name the feature that holds them: tokens: 'norm', or 'x_aux' of an LV-ViT" }))
    const { y, targets, feed, hits } = labels.right
    return right({
      image,
      numClasses: logits.shape[0] as number,
      score: 'accuracy',
      train: {
        inputs: { x: learning.inputs, y, teacher: said.logits, tokens: said.tokens },
        loss: pruned(loss(logits, targets), outputs.right, { logits: said.logits, tokens: withoutPrefix(said.tokens, tokens) }, { ...options, compare }),
        outputs: { logits },
        feed: async (batch, chance) => {
          const made = feed(batch, chance)
          const heard = await taught(teacher, batch, made.images, { mean, std })
          return heard._tag === 'Left' ? heard : right({ x: made.images, y: made.y, teacher: heard.right.logits, tokens: heard.right.tokens })
        },
        hits: (given, fed) => hits(given['logits'] as Float32Array, fed['y'] as Int32Array | Float32Array),
      },
      evaluate: classified(fixed, used.right),
    })
  },
})

const outputsOf = (output: Signal): Either<Problem, PrunedOutputs & Required<Pick<PrunedOptions, 'compare'>>> => {
  const { head, tokens, aux_head: dense, ...rest } = isTensor(output) ? {} : (output as Readonly<Record<string, Tensor | undefined>>)
  const decisions = Object.entries(rest).filter(([name]) => /^keep_\d+$/.test(name)).sort(([a], [b]) => Number(a.slice(5)) - Number(b.slice(5))).map(([, decision]) => decision!)
  const each = dense ?? tokens
  if (head === undefined || each === undefined || decisions.length === 0) return left(problem('notAPruner', 'train: the model does not learn to drop tokens: it must give { head, tokens or aux_head, keep_0, … }', { remedy: 'take one of the recipes dynamicvit_…, or the layer dynamicVitTraining' }))
  return right({ logits: head, tokens: each, decisions, compare: dense === undefined ? 'meanSquared' : 'divergence' })
}

/** A teacher's tokens without those in front, of which the pupil gives none. */
const withoutPrefix = (theirs: Tensor, ours: Tensor): Tensor => {
  const [count = 0, channels = 0] = theirs.shape
  const more = count - (ours.shape[0] as number)
  return more > 0 && theirs.shape.length === 2 ? ops.slice(theirs, [more, 0], [count - more, channels]) : theirs
}
