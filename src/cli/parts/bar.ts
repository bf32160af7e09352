import type { SingleBar } from 'cli-progress'

/**
 * A bar on standard error, cut off where the terminal ends. While it is drawn the terminal stays as it was, its cursor and
 * how it wraps lines: a process that is killed cannot put them back.
 *
 * @param format what it says, in the form of cli-progress
 */
export const bar = async (format: string): Promise<SingleBar> =>
  new (await import('cli-progress')).default.SingleBar({ format, barCompleteChar: '█', barIncompleteChar: '░', barsize: 24, linewrap: true, clearOnComplete: true })
