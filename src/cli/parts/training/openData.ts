import { resolve } from 'node:path'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../../shape/problem.js'
import type { DataSource } from '../../../training/config/defineTraining.js'
import { captions } from '../../../training/data/captions.js'
import { cifar10 } from '../../../training/data/cifar10.js'
import { cifar100 } from '../../../training/data/cifar100.js'
import type { Dataset } from '../../../training/data/dataset.js'
import { idx } from '../../../training/data/idx.js'
import { imageFolder } from '../../../training/data/imageFolder.js'

/**
 * The samples that a configuration speaks of. Errors: those of `imageFolder`, `idx`, `captions`, `cifar10` and `cifar100`.
 *
 * @param folder where paths begin
 * @param classes of other data, whose numbers these must have: a folder takes them whatever its own, others where they name none
 */
export const openData = (source: DataSource, folder: string, classes?: readonly string[]): TaskEither<Problem, Dataset & { readonly skipped?: readonly { readonly name: string; readonly reason: string }[] }> => {
  const at = (path: string): string => resolve(folder, path)
  // Folders say their classes by name, so that another order of them can be taken. Labels that are numbers mean what they mean.
  const names = source.kind === 'folder' ? (classes ?? source.classes) : source.kind === 'idx' ? (source.classes ?? classes) : undefined
  switch (source.kind) {
    case 'folder':
      return imageFolder(at(source.path), names === undefined ? {} : { classes: names })
    case 'idx':
      return idx({ images: at(source.images), labels: at(source.labels), ...(names === undefined ? {} : { classes: names }) })
    case 'captions':
      return captions(at(source.path), source.images === undefined ? {} : { images: at(source.images) })
    case 'cifar10':
      return cifar10(at(source.path), source.part === undefined ? {} : { part: source.part })
    case 'cifar100':
      return cifar100(at(source.path), { ...(source.part === undefined ? {} : { part: source.part }), ...(source.classes === undefined ? {} : { labels: source.classes }) })
  }
}
