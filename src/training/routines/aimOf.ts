import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../../graph/graph.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel } from '../../layers/core/model.js'
import { OpError } from '../../ops/opError.js'
import { problem, type Problem } from '../../shape/problem.js'
import { classification } from '../objectives/classification.js'
import type { Aim } from '../objectives/objective.js'
import type { StepParts, StepSubject } from './stepParts.js'

/** What an objective means for a model, and the graph it is about. */
export interface Aimed {
  readonly aim: Aim
  /** The form of the model that is trained, in training mode. */
  readonly graph: Graph
}

/**
 * What a training's objective means for its model. Errors: those of `trace` and of the objective's aim; `formMisfit` (the
 * model has a parameter that its form has not), `lossMisfit`.
 *
 * @example
 * aimOf(vitTiny, { loss: losses.crossEntropy }).right.aim.numClasses // 1000
 */
export const aimOf = (model: AnyModel, { loss, objective = classification() }: Pick<StepParts, 'loss' | 'objective'>, { form = model, batchSize = 1, train = { classes: [] }, validation = train, mean = [0], std = [1] }: StepSubject = {}): Either<Problem, Aimed> => {
  const learning = trace(form, { mode: 'training' })
  if (learning._tag === 'Left') return learning
  const fixed = trace(model)
  if (fixed._tag === 'Left') return fixed
  const known = new Set(learning.right.parameters.map(p => p.attributes.name))
  const other = fixed.right.parameters.find(p => !known.has(p.attributes.name))
  if (other !== undefined) return left(problem('formMisfit', `train: the form of the model that is trained has no parameter '${other.attributes.name}'`, { path: other.attributes.name }))
  try {
    const aim = objective.aim({ learning: learning.right, fixed: fixed.right, loss, batchSize, train, validation, mean, std })
    return aim._tag === 'Left' ? aim : right({ aim: aim.right, graph: learning.right })
  } catch (fault) {
    if (fault instanceof OpError) return left(problem('lossMisfit', `the training step cannot be built: ${fault.message}`))
    throw fault
  }
}
