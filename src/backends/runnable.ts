import type { Changes } from './changes.js'
import type { Loaded } from './loadOnce.js'
import type { Plan } from './plan.js'
import type { PreparedRoutine } from './prepare.js'

/** A plan, and when its run changes parameters. */
export type Planned = Plan<unknown> & { readonly changes: Changes }

/** A routine, what it needs loaded, and its plans by batch size. */
export interface Runnable {
  readonly routine: PreparedRoutine
  readonly loaded: Loaded<unknown>
  readonly plans: Map<number, Planned>
}
