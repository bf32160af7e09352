import pc from 'picocolors'

/** Colours, or the same functions doing nothing. */
export type Colours = ReturnType<typeof pc.createColors>

/** Where a command says what it has to say. Tests hand in one that remembers. */
export interface Terminal {
  /** A line of the result, on standard output. */
  readonly print: (text: string) => void
  /** A line for a person beside the result, on standard error. */
  readonly warn: (text: string) => void
  readonly colours: Colours
  /** Whether someone watches standard error, so that a progress bar makes sense. */
  readonly isWatched: boolean
}

/**
 * The terminal of this process: no colours when piped or when `NO_COLOR` is set (no-color.org), and neither colours nor bars
 * where `TERM` says that it is dumb.
 */
export const terminal = (): Terminal => ({
  print: text => void process.stdout.write(`${text}\n`),
  warn: text => void process.stderr.write(`${text}\n`),
  colours: pc.createColors(process.stdout.isTTY === true && !isDumb() && (process.env['NO_COLOR'] ?? '') === ''),
  isWatched: process.stderr.isTTY === true && !isDumb(),
})

/** Editors' shells and old consoles show escape codes as they are. */
const isDumb = (): boolean => process.env['TERM'] === 'dumb'
