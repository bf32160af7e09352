import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'

/**
 * Tensors as they are, where all their numbers are finite. What an update wrote is looked at when it is read: its loss
 * and its gradients may be finite while the rate throws the parameters too far. Errors: `notFinite`, with their names.
 *
 * @param step updates made
 *
 * @example
 * finiteTensors(new Map([['head.bias', Float32Array.of(1, Infinity)]]), 7)._tag // 'Left'
 */
export const finiteTensors = (tensors: ReadonlyMap<string, Float32Array>, step: number): Either<Problem, ReadonlyMap<string, Float32Array>> => {
  const wrong = [...tensors].flatMap(([name, data]) => (data.every(Number.isFinite) ? [] : [name]))
  if (wrong.length === 0) return right(tensors)
  const names = wrong.slice(0, 3).map(name => `'${name}'`).join(', ')
  return left(problem('notFinite', `train: after step ${step}, numbers are no longer finite in ${names}${wrong.length > 3 ? ` and ${wrong.length - 3} more` : ''}`, { path: wrong[0]!, remedy: 'lower the rate, warm up, or clip gradients by norm; this step is in no checkpoint' }))
}
