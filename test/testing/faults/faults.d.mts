/** One line of the built library, and what it becomes. */
export interface Fault {
  readonly name: string
  readonly category: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly target: string
}
export const faults: readonly Fault[]
