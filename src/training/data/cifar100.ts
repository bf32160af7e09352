import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../shape/problem.js'
import type { Dataset } from './dataset.js'
import { readCifar } from './readCifar.js'

/** Options of {@link cifar100}. */
export interface Cifar100Options {
  readonly part?: 'train' | 'test'
  /** 100 fine classes, unless the 20 coarse ones are asked for. */
  readonly labels?: 'fine' | 'coarse'
}

/**
 * CIFAR-100, from the folder of its binary version (`train.bin`, `test.bin`, `fine_label_names.txt`,
 * `coarse_label_names.txt`): 32×32×3. Errors: those of `readCifar`.
 *
 * @example
 * await cifar100('nowhere', { labels: 'coarse' })() // left({ code: 'fileUnreadable', sentence: 'nowhere/train.bin: cannot be read: no such file or folder', path: '' })
 */
export const cifar100 = (folder: string, { part = 'train', labels = 'fine' }: Cifar100Options = {}): TaskEither<Problem, Dataset> =>
  readCifar(folder, { files: [`${part}.bin`], names: `${labels}_label_names.txt`, numClasses: labels === 'fine' ? 100 : 20, labelBytes: 2, labelAt: labels === 'fine' ? 1 : 0 })
