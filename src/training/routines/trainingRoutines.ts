import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Routine } from '../../backends/prepare.js'
import { collectNodes, type Graph } from '../../graph/graph.js'
import type { AnyModel } from '../../layers/core/model.js'
import { OpError } from '../../ops/opError.js'
import * as ops from '../../ops/ops.js'
import { isOp, isTensor, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { accumulate } from '../accumulate.js'
import type { Aim } from '../objectives/objective.js'
import { aimOf } from './aimOf.js'
import { onAverages } from './onAverages.js'
import { gradientsOf } from './gradientsOf.js'
import type { Place } from './place.js'
import { placesOf } from './placesOf.js'
import type { StepParts, StepSubject } from './stepParts.js'
import { gradientName, updateStep, type StateTensor } from './updateStep.js'

/**
 * What a session can do in training. `train` is a whole step on one batch. Where several batches make an update there
 * are instead `begin` (the first batch), `add` (another one) and `update`. `evaluate` and `evaluateAverage` are the
 * model in inference mode, with its weights and with their average.
 */
export type RoutineName = 'train' | 'begin' | 'add' | 'update' | 'evaluate' | 'evaluateAverage'

/** The routines of a training and what they work on. */
export interface TrainingRoutines {
  readonly routines: Readonly<Partial<Record<RoutineName, Routine>>>
  /** What is written before each update, as far as the optimiser needs it: {@link rateName} and {@link stepName}. */
  readonly variables: readonly string[]
  /** The parameters of the model. */
  readonly parameters: readonly Tensor<'parameter'>[]
  /** Those among them that training changes. */
  readonly changed: ReadonlySet<string>
  /** What a checkpoint holds beside them, and what each begins as: zeros, or a parameter of the model. */
  readonly state: readonly StateTensor[]
  /** What they are fed, and what is read off what they give. */
  readonly aim: Aim
  /** The model in training mode. */
  readonly graph: Graph
  /** Where in the training step each of its nodes belongs. */
  readonly places: ReadonlyMap<Tensor, Place>
}

/** The parameter that holds the learning rate. No layer can have such a name. */
export const rateName = '@rate'

/** The parameter that holds the number of the step, from 1. */
export const stepName = '@step'

/**
 * A model and an objective as the routines of a session: training steps that compute gradients, clip them, update the
 * parameters, the running statistics and the average of weights on the device; and evaluation.
 *
 * Routines are fed what the objective names, a classifier `{ x, y }`: the model's input and class numbers. They give the
 * `loss` and what the objective reads, of a classifier `logits`, and where parameters change the `norm` of all gradients
 * before clipping. Neither loss nor norm may be infinite, or nothing changes.
 *
 * Errors: those of `aimOf`; `nothingToTrain`, `lossMisfit`.
 *
 * @example
 * trainingRoutines(vitTiny, { loss: losses.crossEntropy, optimiser: optimisers.adamw() }) // Either<Problem, TrainingRoutines>
 */
export const trainingRoutines = (model: AnyModel, parts: StepParts, subject: StepSubject = {}): Either<Problem, TrainingRoutines> => {
  const known = aimOf(model, parts, subject)
  if (known._tag === 'Left') return known
  try {
    return made(known.right.graph, known.right.aim, parts)
  } catch (fault) {
    if (fault instanceof OpError) return left(problem('lossMisfit', `the training step cannot be built: ${fault.message}`))
    throw fault
  }
}

const made = (graph: Graph, aim: Aim, parts: StepParts): Either<Problem, TrainingRoutines> => {
  const { accumulate: batches = 1, average } = parts
  const trained = graph.parameters.filter(p => p.attributes.role === 'trained')
  const { inputs, loss, outputs } = aim.train
  const { gradients, origin } = gradientsOf(loss, trained)
  if (gradients.length === 0) return left(problem('nothingToTrain', trained.length === 0 ? 'train: every parameter of the model is frozen' : 'train: the loss depends on no parameter that is trained', { remedy: 'unfreeze some' }))
  const [rate, step] = [hyperparameter(rateName), hyperparameter(stepName)]
  // Layers record the statistics that a batch leaves behind under the names of the buffers that take them.
  const statistics = graph.parameters.flatMap(parameter => {
    const value = parameter.attributes.role === 'buffer' ? graph.features.get(parameter.attributes.name) : undefined
    return value !== undefined && isTensor(value) ? [{ parameter, value }] : []
  })
  const order = graph.parameters.map(p => p.attributes.name)
  const evaluated = { inputs: aim.evaluate.inputs, outputs: { loss: aim.evaluate.loss, ...aim.evaluate.outputs } }
  const evaluation = { evaluate: evaluated, ...(average === undefined ? {} : { evaluateAverage: onAverages(evaluated, new Set([...gradients, ...statistics].map(({ parameter }) => parameter.attributes.name))) }) }
  const common = { parameters: graph.parameters, changed: new Set([...gradients, ...statistics].map(({ parameter }) => parameter.attributes.name)), aim, graph }
  if (batches === 1) {
    const { norm, updates, state } = updateStep({ gradients, statistics, rate, step, order, parts })
    const train = { inputs, outputs: { loss, norm, ...outputs }, updates: [...updates, ...statistics], guards: ['loss', 'norm'] }
    return right({ ...common, variables: usedBy(train), routines: { train, ...evaluation }, state, places: placesOf(train, graph, origin) })
  }
  const totals = gradients.map(({ parameter }) => ({ parameter, gradient: ops.parameter(gradientName(parameter), parameter.shape, { kind: 'zeros' }, 'buffer') }))
  const gathered = (total: (i: number) => Tensor) => ({
    inputs,
    outputs: { loss, ...outputs },
    updates: [...gradients.map(({ gradient }, i) => ({ parameter: totals[i]!.gradient, value: accumulate(total(i), gradient, batches) })), ...statistics],
    guards: ['loss'],
  })
  // The first batch takes the place of what is there, so that nothing need be cleared, or kept in a checkpoint.
  const begin = gathered(i => ops.constant(new Float32Array(1), gradients[i]!.gradient.shape.map(() => 1)))
  const add = gathered(i => totals[i]!.gradient)
  const whole = updateStep({ gradients: totals, statistics: statistics.map(({ parameter }) => ({ parameter, value: parameter })), rate, step, order, parts })
  const update = { inputs: {}, outputs: { norm: whole.norm }, updates: whole.updates, guards: ['norm'] }
  const places = new Map([update, add, begin].flatMap(routine => [...placesOf(routine, graph, origin)]))
  return right({ ...common, variables: usedBy(update), routines: { begin, add, update, ...evaluation }, state: whole.state, places })
}

const hyperparameter = (name: string): Tensor<'parameter'> => ops.parameter(name, [], { kind: 'zeros' }, 'buffer')

/** Those of rate and step that a routine reads: an optimiser need not count steps. */
const usedBy = ({ updates = [] }: Routine): readonly string[] =>
  collectNodes(updates.map(({ value }) => value)).flatMap(n => (isOp(n, 'parameter') && (n.attributes.name === rateName || n.attributes.name === stepName) ? [n.attributes.name] : []))
