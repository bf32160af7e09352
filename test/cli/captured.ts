import pc from 'picocolors'
import { cli } from '../../src/cli/cli.js'

/** What one command line printed and how it ended. */
export interface Captured {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process, without colours. */
export const captured = async (...argv: readonly string[]): Promise<Captured> => {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await cli(argv, { print: text => out.push(text), warn: text => err.push(text), colours: pc.createColors(false), isWatched: false })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
