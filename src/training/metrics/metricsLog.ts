import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { reasonOf } from '../../shape/reasonOf.js'
import type { Progress } from '../checkpoint/progress.js'
import type { Metric } from './metric.js'

/** A file of metrics that grows by a line for each. */
export interface MetricsLog {
  readonly append: (metric: Metric) => Promise<Either<Problem, void>>
  /** Returns once all lines are on the disk. */
  readonly sync: () => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Opens a file of metrics, one JSON object a line, for writing. What is there after a step is cut off: a training that
 * resumes at that step writes it again. At step 0 the file begins anew. Node only. Errors: `fileUnwritable`.
 *
 * @param isDue whether what follows that step, an epoch's end or a validation, is still to be done
 *
 * @example
 * typeof openMetricsLog('metrics.jsonl', { step: 0, isDue: false }) // 'function'
 */
export const openMetricsLog = (path: string, { step, isDue }: Pick<Progress, 'step' | 'isDue'>): TaskEither<Problem, MetricsLog> => async () => {
  const { open } = await import('node:fs/promises')
  const unwritable = (cause: unknown): Either<Problem, never> => left(problem('fileUnwritable', `${path}: cannot be written: ${reasonOf(cause)}`))
  try {
    const kept = await linesUpTo(path, isDue ? step : step + 0.5)
    const file = await open(path, 'a')
    await file.truncate(kept)
    return right({
      append: async metric => {
        try {
          await file.writeFile(`${JSON.stringify(metric)}\n`)
          return right(undefined)
        } catch (cause) {
          return unwritable(cause)
        }
      },
      sync: () => file.sync(),
      close: () => file.close(),
    })
  } catch (cause) {
    return unwritable(cause)
  }
}

/** How many bytes the lines up to a place take. A line without an end was torn by a kill. */
const linesUpTo = async (path: string, last: number): Promise<number> => {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(path, 'utf8').catch(() => '')
  let kept = 0
  for (const line of text.split('\n').slice(0, -1)) {
    if (placeOf(line) > last) break
    kept += Buffer.byteLength(line) + 1
  }
  return kept
}

/** What follows a step comes after the step itself. */
const placeOf = (line: string): number => {
  try {
    const { kind, step } = JSON.parse(line) as Metric
    return kind === 'step' ? step : step + 0.5
  } catch {
    return Infinity
  }
}
