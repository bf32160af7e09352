import { showProblem, type Problem } from '../../../src/shape/problem.js'
import type { Batch, Batches, EpochStart } from '../../../src/training/data/batch.js'
import type { Dataset } from '../../../src/training/data/dataset.js'
import { fromArrays } from '../../../src/training/data/fromArrays.js'
import { valueOf } from '../../support/either.js'

/** All batches of an epoch; a problem fails the test. */
export const collect = async (batches: Batches, epoch: number, start?: EpochStart): Promise<readonly Batch[]> => {
  const all: Batch[] = []
  for await (const each of batches.epoch(epoch, start)) {
    if (each._tag === 'Left') throw new Error(showProblem(each.left))
    all.push(each.right)
  }
  return all
}

/** The problem that ends an epoch. */
export const problemIn = async (batches: Batches, epoch = 0, start?: EpochStart): Promise<Problem> => {
  for await (const each of batches.epoch(epoch, start)) if (each._tag === 'Left') return each.left
  throw new Error('expected a problem, got a whole epoch')
}

export const namesOf = (batches: readonly Batch[]): readonly string[] => batches.flatMap(batch => batch.names)

/** Samples 0 to count − 1, each one pixel of its own number in 255ths, in classes by turns. */
export const numbered = (count: number, classes = 2): Dataset =>
  valueOf(fromArrays({ images: Uint8Array.from({ length: count }, (_, i) => i), labels: Array.from({ length: count }, (_, i) => i % classes), shape: [1, 1, 1], name: 'sample' }))
