import { bar } from './bar.js'
import type { Terminal } from './terminal.js'

/** A bar that grows on standard error while someone watches, and nothing otherwise. */
export interface Progress {
  readonly advance: (by: number) => void
  readonly stop: () => void
}

/** Starts a bar that ends at `total`. */
export const progress = async ({ isWatched }: Terminal, what: string, total: number): Promise<Progress> => {
  if (!isWatched) return { advance: () => {}, stop: () => {} }
  const drawn = await bar(`${what} {bar} {percentage} %`)
  drawn.start(total, 0)
  return { advance: by => drawn.increment(by), stop: () => drawn.stop() }
}
