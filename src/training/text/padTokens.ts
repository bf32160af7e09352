import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'

/**
 * Texts one after the other as a model takes them, each filled up with zeros to `length` tokens. Errors: `textTooLong`
 * (cut off, it would lose its end mark), `noTexts`.
 *
 * @example
 * padTokens([[5, 9], [6, 7, 9]], 4).right // Int32Array.of(5, 9, 0, 0, 6, 7, 9, 0)
 */
export const padTokens = (texts: readonly (readonly number[])[], length: number): Either<Problem, Int32Array> => {
  if (texts.length === 0) return left(problem('noTexts', 'there is no text'))
  const long = texts.findIndex(text => text.length > length)
  if (long >= 0) return left(problem('textTooLong', `text ${long + 1} has ${texts[long]!.length} tokens, and the model reads ${length}`, { remedy: 'say it shorter' }))
  const padded = new Int32Array(texts.length * length)
  texts.forEach((text, i) => padded.set(text, i * length))
  return right(padded)
}
