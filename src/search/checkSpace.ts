import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isSize } from '../shape/natural.js'
import { problem, type Problem } from '../shape/problem.js'
import type { AnyPicked, Space } from './space.js'

/** Whether there is something to choose everywhere, and lists know their length. Errors: `badSpace`. */
export const checkSpace = <M>({ choices }: Space<AnyPicked, M>): Either<Problem, void> => {
  const refuse = (name: string, sentence: string): Either<Problem, never> => left(problem('badSpace', `space: '${name}' ${sentence}`, { path: name }))
  if (Object.keys(choices).length === 0) return left(problem('badSpace', 'space: there is nothing to choose', { remedy: 'name a choice and its values: { depth: [2, 3, 4] }' }))
  for (const [name, choice] of Object.entries(choices)) {
    const values = 'each' in choice ? choice.each : choice
    if (!Array.isArray(values) || values.length === 0) return refuse(name, 'has no values to choose from')
    if (!('each' in choice)) continue
    const lengths = choices[choice.times]
    if (!Array.isArray(lengths) || !lengths.every(isSize)) return refuse(name, `is as long as '${choice.times}' says, which is no choice of whole numbers`)
  }
  return right(undefined)
}
