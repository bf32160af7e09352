import type { Terminal } from './terminal.js'

/** A bar that grows on standard error while someone watches, and nothing otherwise. */
export interface Progress {
  readonly advance: (by: number) => void
  readonly stop: () => void
}

/** Starts a bar that ends at `total`. */
export const progress = async ({ isWatched }: Terminal, what: string, total: number): Promise<Progress> => {
  if (!isWatched) return { advance: () => {}, stop: () => {} }
  const { SingleBar } = (await import('cli-progress')).default
  const bar = new SingleBar({ format: `${what} {bar} {percentage} %`, barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true, clearOnComplete: true })
  bar.start(total, 0)
  return { advance: by => bar.increment(by), stop: () => bar.stop() }
}
