import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'
import { problem } from '../../shape/problem.js'
import { readJson } from './readJson.js'

/** The names of a model's classes out of text: a JSON array, or one a line. Errors: `labelsMalformed`, `labelsMisfit`. */
export const readLabels = (text: string, classes: number, where: string): Either<Problem, readonly string[]> => {
  const isJson = text.trimStart().startsWith('[')
  const parsed = isJson ? readJson.parse(text, where) : right(text.replace(/\r?\n$/, '').split(/\r?\n/))
  if (parsed._tag === 'Left') return parsed
  if (!Array.isArray(parsed.right) || !parsed.right.every(label => typeof label === 'string')) return left(problem('labelsMalformed', `${where}: must be a JSON array of texts, or one label a line`))
  return parsed.right.length === classes ? right(parsed.right) : left(problem('labelsMisfit', `${where}: holds ${parsed.right.length} labels, but the model has ${classes} classes`))
}
