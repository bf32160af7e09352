import { appendFile, readFile } from 'node:fs/promises'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { AnyPicked } from '../../../search/space.js'
import type { Candidate } from '../../../search/candidate.js'
import { messageOf } from '../messageOf.js'
import { readJson } from '../readJson.js'

/** Scores on a disk, a line for each, so that a search that was stopped does not score anything twice. */
export const scoresFile = {
  /** Scores by key; none where there is no file. A line that was cut off by a kill is passed over, and ended. */
  read: async (file: string): Promise<ReadonlyMap<string, number>> => {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text !== '' && !text.endsWith('\n')) await appendFile(file, '\n').catch(() => undefined)
    const lines = text.split('\n').map(line => readJson.object(line, file))
    return new Map(lines.flatMap(line => (line._tag === 'Right' && typeof line.right['key'] === 'string' && typeof line.right['score'] === 'number' ? [[line.right['key'], line.right['score']] as const] : [])))
  },
  /** Errors: `fileUnwritable`. */
  append: (file: string, { key, params, macs }: Candidate<AnyPicked>, score: number): TaskEither<Problem, void> => async () => {
    try {
      return right(await appendFile(file, `${JSON.stringify({ key, score, params, macs })}\n`))
    } catch (cause) {
      return left(problem('fileUnwritable', `${file}: ${messageOf(cause)}`))
    }
  },
} as const
