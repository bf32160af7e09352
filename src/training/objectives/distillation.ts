import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isTensor, type Signal, type Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import { distillation as distil, type DistillationOptions as LossOptions } from '../losses/distillation.js'
import type { MixOptions } from '../mixing/drawMix.js'
import { classified } from './classified.js'
import { imageOf } from './imageOf.js'
import { labelled } from './labelled.js'
import { logitsOf } from './logitsOf.js'
import type { Objective } from './objective.js'
import { lessons, taught, teacherMisfit } from './taught.js'
import type { Teacher } from './teacher.js'

/** Options of {@link distillation}. */
export interface DistillationObjective extends LossOptions {
  readonly teacher: Teacher
  /** How samples of a batch are mixed; the teacher sees them mixed. */
  readonly mix?: MixOptions
}

/**
 * Learning from labels and from a teacher (Touvron et al., 2021, section 3). The form that is trained gives
 * `{ head: [numClasses], head_dist: [numClasses] }`, of which the second learns from the teacher, or `[numClasses]`, which
 * learns from both. What it is by itself is validated.
 *
 * Errors of its aim: `notAClassifier`, `notAnImageModel`, `teacherMisfit`.
 *
 * @example
 * distillation({ teacher: { about: 'a', gives: { logits: [10] }, see: () => async () => left(problem('away', 'away')), bytes: () => right({ parameters: 0, peak: 0 }), close: () => {} }, kind: 'soft', temperature: 3 }).name // 'distillation'
 */
export const distillation = ({ teacher, mix, ...options }: DistillationObjective): Objective => ({
  name: 'distillation',
  config: { ...options, teacher: teacher.about, ...(mix === undefined ? {} : { mix }) },
  bytes: teacher.bytes,
  aim: ({ learning, fixed, loss, mean, std }) => {
    const [heads, used] = [headsOf(learning.output), logitsOf(fixed)]
    if (heads._tag === 'Left') return heads
    if (used._tag === 'Left') return used
    const image = imageOf(learning)
    const { head, student } = heads.right
    const labels = labelled(image, head.shape[0] as number, mix)
    if (labels._tag === 'Left') return labels
    const wrong = teacherMisfit(teacher, image, mix !== undefined)
    if (wrong !== undefined) return left(wrong)
    const { y, targets, feed, hits } = labels.right
    const said = lessons(teacher)
    return right({
      image,
      numClasses: head.shape[0] as number,
      score: 'accuracy',
      train: {
        inputs: { x: learning.inputs, y, teacher: said.logits },
        loss: distil(loss(head, targets), student, said.logits, options),
        outputs: { logits: head },
        feed: async (batch, chance) => {
          const made = feed(batch, chance)
          const heard = await taught(teacher, batch, made.images, { mean, std })
          return heard._tag === 'Left' ? heard : right({ x: made.images, y: made.y, teacher: heard.right.logits })
        },
        hits: (outputs, fed) => hits(outputs['logits'] as Float32Array, fed['y'] as Int32Array | Float32Array),
      },
      evaluate: classified(fixed, used.right),
    })
  },
})

/** Of two heads the one that learns from labels, and the one that learns from the teacher. */
const headsOf = (output: Signal): Either<Problem, { readonly head: Tensor; readonly student: Tensor }> => {
  if (!isTensor(output) && 'head' in output && 'head_dist' in output && isTensor(output['head']!) && isTensor(output['head_dist']!)) return right({ head: output['head'], student: output['head_dist'] })
  const logits = logitsOf({ output })
  return logits._tag === 'Left' ? logits : right({ head: logits.right, student: logits.right })
}
