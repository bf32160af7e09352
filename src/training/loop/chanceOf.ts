import type { Chance } from '../objectives/objective.js'
import { random } from '../random.js'

/**
 * The chance that an objective has of a batch: streams of its own, of training and of validation apart.
 *
 * @param batch the number of the batch, from the beginning of the training; in a validation from its beginning
 *
 * @example
 * chanceOf(7, 'train', 0)('noise').uniform() === chanceOf(7, 'train', 0)('noise').uniform() // true
 */
export const chanceOf = (seed: number, part: 'train' | 'validation', batch: number): Chance => stream => random(seed, `${part} ${stream}`, batch)
