import type { Either } from 'fp-ts/lib/Either.js'
import { showProblem, type Problem } from '../../src/shape/problem.js'

/** The value of a success; a failure fails the test with its own sentence. */
export const valueOf = <A>(result: Either<Problem, A>): A => {
  if (result._tag === 'Left') throw new Error(`expected a value, got the problem "${showProblem(result.left)}"`)
  return result.right
}

/** The problem of a failure; a success fails the test. */
export const problemOf = (result: Either<Problem, unknown>): Problem => {
  if (result._tag === 'Right') throw new Error('expected a problem, got a value')
  return result.left
}
