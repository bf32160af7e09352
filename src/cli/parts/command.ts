import type { Option } from 'commander'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../shape/problem.js'
import type { Terminal } from './terminal.js'

/** 0: done. 1: the check failed. 2: bad use, or an input that cannot be read. */
export type ExitCode = 0 | 1 | 2

/** One command, as data: `cli` makes it reachable, tests call `run`. */
export interface CliCommand<O> {
  /** Its name and arguments as commander reads them: `summary <model>`. */
  readonly usage: string
  readonly about: string
  /** A few lines to try, shown by `--help`. */
  readonly examples: readonly string[]
  readonly options: readonly Option[]
  /** Errors on the left end the command with exit code 2. */
  readonly run: (args: readonly string[], options: O, terminal: Terminal) => TaskEither<Problem, ExitCode>
}
