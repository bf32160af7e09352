import { openSession } from '../../backends/openSession.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Place } from '../routines/place.js'
import type { RoutineName } from '../routines/trainingRoutines.js'
import { gatheredUnder } from '../routines/updateStep.js'
import type { Training } from './prepareTraining.js'
import type { StepForm } from './stepForms.js'

/** A run of a routine on a batch. */
export interface BatchRun {
  readonly routine: RoutineName
  readonly input: unknown
  readonly random: { readonly seed: number; readonly step: number }
  /** The form that the step trains, where it has its own. */
  readonly form?: StepForm
  /** What the batch was made of. */
  readonly names: readonly string[]
}

/**
 * Why a training stopped because a number was not finite: the step, and the first op and layer in which such a number
 * appeared, found by running the step again, as it was traced, and looking at every result.
 *
 * @param runs those that may have gone wrong, in their order
 * @param step the number of the update, from 1
 */
export const explainNotFinite = async (training: Training, runs: readonly BatchRun[], step: number): Promise<Problem> => {
  const { where, path, isBefore = false } = (await firstOf(training, runs)) ?? { where: 'where, is not known', path: '' }
  return problem('notFinite', `train: numbers are no longer finite at step ${step}: ${where}`, { path, remedy: `lower the rate, warm up, clip gradients by norm, or look at those samples${isBefore ? '' : '; no weight has been changed by this step'}` })
}

interface Told {
  readonly where: string
  readonly path: string
  /** Whether an earlier update brought it about. */
  readonly isBefore?: boolean
}

/** In sessions of their own over the same values, whose nodes are those that layers made: passes make others of them. */
const firstOf = async ({ session, routines: usual, fixed, options }: Training, runs: readonly BatchRun[]): Promise<Told | undefined> => {
  const read = await session.read()()
  if (read._tag === 'Left') return undefined
  // What was gathered may be what went wrong; each batch is looked at from the start.
  const values = new Map([...fixed, ...[...read.right].map(([name, data]) => [name, name.startsWith(gatheredUnder) ? new Float32Array(data.length) : data] as const)])
  for (const { routine, input, random, names, form } of runs) {
    const routines = form?.routines ?? usual
    const looking = await openSession({ [routine]: routines.routines[routine]! }, { backend: options.backend, weights: values, asGiven: true })()
    if (looking._tag === 'Left') return undefined
    const found = await looking.right.firstNotFinite(routine, input, random)()
    looking.right.dispose()
    if (found._tag === 'Right' && found.right !== undefined) return told(found.right, routines.places.get(found.right), names)
  }
  return undefined
}

const phases = { forward: 'first in', backward: 'first in the gradient of', update: 'first in the update of' } as const

const told = (node: Tensor, place: Place | undefined, names: readonly string[]): Told => {
  if (isOp(node, 'input')) return { where: `the batch itself holds such a number (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''})`, path: '' }
  if (isOp(node, 'parameter')) return { where: `the parameter '${node.attributes.name}' held such a number before it`, path: node.attributes.name, isBefore: true }
  if (place === undefined) return { where: `first in an op '${node.op}'`, path: '' }
  return { where: `${phases[place.phase]} ${place.path === '' ? 'the loss' : `'${place.path}'`}, op '${node.op}'`, path: place.path }
}
