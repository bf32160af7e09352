import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Dataset, SampleStream } from '../data/dataset.js'

type Classed = Pick<Dataset | SampleStream, 'name' | 'classes'>

/**
 * Whether the numbers of the classes mean the same in other data: samples would else count as wrong that are right.
 * Unicode forms of a name are the same name. Errors: `classesMisfit`, with the first that differs.
 *
 * @example
 * sameClasses({ name: 'a', classes: ['cat', 'dog'] }, { name: 'b', classes: ['dog', 'cat'] }).left.sentence // "b: class 0 is 'dog', but 'cat' in a"
 */
export const sameClasses = (source: Classed, other: Classed): Either<Problem, void> => {
  const at = source.classes.findIndex((name, i) => name.normalize('NFC') !== other.classes[i]?.normalize('NFC'))
  if (at < 0) return right(undefined)
  return left(problem('classesMisfit', `${other.name}: class ${at} is '${other.classes[at]}', but '${source.classes[at]}' in ${source.name}`, { expected: source.classes[at]!, actual: `${other.classes[at]}`, remedy: 'name the same classes in the same order for both, with the option classes' }))
}
