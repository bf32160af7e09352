import { readFile } from 'node:fs/promises'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { messageOf } from './messageOf.js'

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

const parse = (text: string, where: string): Either<Problem, unknown> => {
  try {
    return right(JSON.parse(text) as unknown)
  } catch (cause) {
    return left(problem('notJson', `${where}: is not JSON: ${messageOf(cause)}`))
  }
}

const object = (value: unknown, where: string): Either<Problem, JsonObject> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? right(value as JsonObject) : left(problem('notAnObject', `${where}: must be a JSON object {…}`))

/** Reads a text file, without the mark that Windows' editors put at the beginning. Errors: `fileUnreadable`. */
const text = (file: string): TaskEither<Problem, string> => async () => {
  try {
    return right((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''))
  } catch (cause) {
    return left(problem('fileUnreadable', `${file}: ${messageOf(cause)}`))
  }
}

/** JSON out of texts and files. `where` is what sentences call it. Errors: `notJson`, `notAnObject`, `fileUnreadable`. */
export const readJson = {
  text,
  parse,
  /** A JSON object out of a file. */
  file: (file: string): TaskEither<Problem, JsonObject> => async () => {
    const read = await text(file)()
    if (read._tag === 'Left') return read
    const value = parse(read.right, file)
    return value._tag === 'Left' ? value : object(value.right, file)
  },
  object: (source: string, where: string): Either<Problem, JsonObject> => {
    const value = parse(source, where)
    return value._tag === 'Left' ? value : object(value.right, where)
  },
} as const
