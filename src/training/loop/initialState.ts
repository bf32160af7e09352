import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { fitting, type Weights } from '../../backends/loadOnce.js'
import { problem, type Problem } from '../../shape/problem.js'
import { sizeOf } from '../../shape/shape.js'
import { initialise } from '../../weights/initialise.js'
import { matchWeights } from '../../weights/matchWeights.js'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { gradientName } from '../routines/updateStep.js'
import type { TrainingRoutines } from '../routines/trainingRoutines.js'

/** Values of parameters by name. */
export type Values = ReadonlyMap<string, Float32Array>

/**
 * What the weights and all that is kept beside them begin as: drawn by the seed, given, or out of a checkpoint.
 *
 * Errors: `checkpointMisfit` (it is of another model or optimiser), `missingWeight`, `weightMisfit`; those of reading.
 */
export const initialState = async ({ parameters, changed, state, variables, routines }: TrainingRoutines, seed: number, weights: Weights | undefined, checkpoint: Checkpoint | undefined): Promise<Either<Problem, Values>> => {
  if (checkpoint !== undefined) {
    const kept = [...checkpoint.weights, ...checkpoint.state]
    const wanted = [...parameters, ...state.map(({ tensor }) => tensor)].map(({ attributes: { name }, shape }) => ({ name, shape }))
    const matched = matchWeights(wanted, new Map(kept.map(tensor => [tensor.name, tensor])))
    if (matched._tag === 'Left') return left({ ...matched.left, code: 'checkpointMisfit', sentence: `train: the checkpoint is of another training: ${matched.left.sentence.replace(/^the checkpoint does not fit the model: /, '')}` })
  }
  const values = new Map((checkpoint === undefined ? [] : [...checkpoint.weights, ...checkpoint.state]).map(({ name, data }) => [name, data] as const))
  for (const parameter of parameters) {
    const { name, initialiser } = parameter.attributes
    if (values.has(name)) continue
    const given = weights === undefined ? right(initialise(initialiser, parameter.shape, seed, name)) : await givenWeight(weights, name, parameter.shape)
    if (given._tag === 'Left') return given
    values.set(name, given.right)
  }
  for (const { tensor, beginsAs } of state) if (!values.has(tensor.attributes.name)) values.set(tensor.attributes.name, beginsAs === undefined ? new Float32Array(sizeOf(tensor.shape)) : values.get(beginsAs)!)
  for (const name of variables) values.set(name, new Float32Array(1))
  // Gathered gradients are written before they are read.
  if (routines.begin !== undefined) for (const parameter of parameters) if (changed.has(parameter.attributes.name)) values.set(gradientName(parameter), new Float32Array(sizeOf(parameter.shape)))
  return right(values)
}

const givenWeight = async (weights: Weights, name: string, shape: readonly number[]): Promise<Either<Problem, Float32Array>> => {
  if (typeof weights === 'function') {
    const read = await weights(name, shape)()
    return read._tag === 'Left' ? read : fitting(name, shape, read.right)
  }
  const values = weights.get(name)
  return values === undefined ? left(problem('missingWeight', `weights: there is no '${name}'`, { remedy: 'leave out weights to begin with drawn ones' })) : fitting(name, shape, values)
}
