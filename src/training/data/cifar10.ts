import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../shape/problem.js'
import type { Dataset } from './dataset.js'
import { readCifar } from './readCifar.js'

/**
 * CIFAR-10, from the folder of its binary version (`data_batch_1.bin` … `data_batch_5.bin`, `test_batch.bin`,
 * `batches.meta.txt`): 32×32×3, 10 classes. Errors: those of `readCifar`.
 *
 * @example
 * await cifar10('nowhere', { part: 'test' })() // left({ code: 'fileUnreadable', sentence: 'nowhere/test_batch.bin: cannot be read: no such file or folder', path: '' })
 */
export const cifar10 = (folder: string, { part = 'train' }: { readonly part?: 'train' | 'test' } = {}): TaskEither<Problem, Dataset> =>
  readCifar(folder, {
    files: part === 'test' ? ['test_batch.bin'] : [1, 2, 3, 4, 5].map(i => `data_batch_${i}.bin`),
    names: 'batches.meta.txt',
    numClasses: 10,
    labelBytes: 1,
    labelAt: 0,
  })
