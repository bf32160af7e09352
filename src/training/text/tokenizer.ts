import type { Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'

/** Turns a text into the numbers of its tokens, the marks of its beginning and end among them. */
export interface Tokenizer {
  readonly encode: (text: string) => Either<Problem, readonly number[]>
}
