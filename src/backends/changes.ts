import { isLeaf, mayShareMemory, tensorsOf, type Tensor } from '../ops/tensor.js'
import type { JointUpdates } from './jointUpdates.js'
import type { Step } from './plan.js'
import type { PreparedRoutine, Update } from './prepare.js'

/** When, in a run, parameters take their new values: each as soon as nothing needs the old one or the run's own copy of the new. */
export interface Changes {
  /** The step before which all outputs are known: nothing changes earlier. */
  readonly from: number
  /** What changes in place then, before anything else does. */
  readonly together: Pick<JointUpdates<unknown>, 'assignments' | 'ends'>
  /** What changes before a step. */
  readonly before: ReadonlyMap<number, readonly Update[]>
  /** Values that two parameters take, or that the run does not compute itself: each parameter gets a copy. */
  readonly shared: ReadonlySet<Tensor>
}

const nothing: Changes['together'] = { assignments: [], ends: [] }

/** The changes of a routine, over the steps of its plan. */
export const changesOf = ({ outputs, updates }: Pick<PreparedRoutine, 'outputs' | 'updates'>, steps: readonly Pick<Step<unknown>, 'node'>[], joint?: JointUpdates<unknown>): Changes => {
  const made = new Map(steps.map(({ node }, at) => [node, at]))
  const last = new Map(made)
  // What may share its input's buffer is a use of it for as long as it is used itself.
  const owner = new Map<Tensor, Tensor>()
  steps.forEach(({ node }, at) => {
    if (mayShareMemory(node)) owner.set(node, node.inputs[0]!)
    for (let x: readonly Tensor[] = node.inputs; x.length > 0; x = x.flatMap(t => owner.get(t) ?? [])) x.forEach(t => last.set(t, at))
  })
  // A value that a parameter takes may be given back too.
  const known = 1 + Object.values(outputs).flatMap(tensorsOf).reduce((latest, node) => Math.max(latest, made.get(node) ?? -1), -1)
  const others = joint?.updates ?? updates
  const isGiven = ({ value }: Update): boolean => !made.has(value) || isLeaf(value)
  // What is there from the start is read before anything changes, since it may be a parameter that changes too, and it is
  // taken at once: by then nothing may need what it takes the place of.
  const from = others.filter(isGiven).reduce((latest, { parameter }) => Math.max(latest, 1 + (last.get(parameter) ?? -1)), joint === undefined || joint.assignments.length === 0 ? known : joint.before)
  const before = new Map<number, readonly Update[]>()
  const shared = new Set<Tensor>()
  const seen = new Set<Tensor>()
  for (const update of others) {
    const { parameter, value } = update
    const given = isGiven(update)
    if (given || seen.has(value)) shared.add(value)
    seen.add(value)
    const at = given ? from : Math.max(from, 1 + last.get(value)!, 1 + (last.get(parameter) ?? -1))
    before.set(at, [...(before.get(at) ?? []), update])
  }
  return { from, together: joint ?? nothing, before, shared }
}
