import { left } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Dataset } from './dataset.js'
import { fromArrays } from './fromArrays.js'
import { parseIdx } from './parseIdx.js'
import { readUnpacked } from './readUnpacked.js'

/** The two files of a set of the MNIST family, gzipped or not. */
export interface IdxOptions {
  readonly images: string
  readonly labels: string
  /** What the labels mean; 0, 1, … unless given. */
  readonly classes?: readonly string[]
}

/**
 * A set of the MNIST family: images `[samples, height, width]` (or with channels last) and labels `[samples]` in the
 * IDX format. It is held in memory, a byte a pixel.
 *
 * Errors: those of `readUnpacked`, `parseIdx` and `fromArrays`, and `idxMalformed` for other numbers of axes.
 *
 * @example
 * await idx({ images: 'nowhere', labels: 'nowhere' })() // left({ code: 'fileUnreadable', sentence: 'nowhere: cannot be read: no such file or folder', path: '' })
 */
export const idx = (options: IdxOptions): TaskEither<Problem, Dataset> => async () => {
  const read = await readUnpacked(options.images)()
  if (read._tag === 'Left') return read
  const images = parseIdx(read.right, options.images)
  if (images._tag === 'Left') return images
  const [count, height, width, channels = 1, ...more] = images.right.shape
  if (width === undefined || more.length > 0) return left(problem('idxMalformed', `${options.images}: has ${images.right.shape.length} axes; images have 3, or 4 with channels`, { remedy: 'images and labels may have been mixed up' }))
  const readLabels = await readUnpacked(options.labels)()
  if (readLabels._tag === 'Left') return readLabels
  const labels = parseIdx(readLabels.right, options.labels)
  if (labels._tag === 'Left') return labels
  if (labels.right.shape.length !== 1) return left(problem('idxMalformed', `${options.labels}: has ${labels.right.shape.length} axes; labels have 1`, { remedy: 'images and labels may have been mixed up' }))
  if (count !== labels.right.shape[0]) return left(problem('labelsMisfit', `${options.images}: ${count} images, but ${options.labels} holds ${labels.right.shape[0]} labels`))
  return fromArrays({ images: images.right.values, labels: labels.right.values, shape: [height!, width, channels], name: options.images, ...(options.classes === undefined ? {} : { classes: options.classes }) })
}
