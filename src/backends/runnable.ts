import type { Loaded } from './loadOnce.js'
import type { Planned } from './planned.js'
import type { PreparedRoutine } from './prepare.js'

/** A routine, what it needs loaded, and its plans by batch size. */
export interface Runnable {
  readonly routine: PreparedRoutine
  readonly loaded: Loaded<unknown>
  readonly plans: Map<number, Planned>
}
