import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../shape/problem.js'
import { changesOf, type Changes } from './changes.js'
import type { Device } from './device.js'
import { jointUpdates } from './jointUpdates.js'
import { plan, type Plan } from './plan.js'
import type { PreparedRoutine } from './prepare.js'

/** A plan, and when its run changes parameters. */
export type Planned = Plan<unknown> & { readonly changes: Changes }

/** The plan of a routine on a device; its updates are done together where the device can. Errors: `missingKernels`. */
export const plannedOn = (device: Device, routine: PreparedRoutine, batch: number): Either<Problem, Planned> => {
  const joint = device.assignment === undefined || routine.updates.length === 0 ? undefined : jointUpdates(routine, device.assignment)
  const { each, kept } = joint ?? routine
  const made = plan(device, each, kept, batch)
  return made._tag === 'Left' ? made : right({ ...made.right, changes: changesOf(routine, made.right.steps, joint) })
}

/** The plan of a run that computes every result one by one, to be looked at, and changes nothing. Errors: `missingKernels`. */
export const plannedToLook = (device: Device, { each, kept }: PreparedRoutine, batch: number): Either<Problem, Planned> => {
  const made = plan(device, each, kept, batch)
  return made._tag === 'Left' ? made : right({ ...made.right, changes: { from: -1, together: { assignments: [], ends: [] }, before: new Map(), shared: new Set() } })
}
