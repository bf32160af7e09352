import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Dataset } from './dataset.js'
import type { Item } from './image.js'
import { readUnpacked } from './readUnpacked.js'

/** Which files of a folder, and how their records are made. */
export interface CifarLayout {
  readonly files: readonly string[]
  /** A class on each line; classes are numbered where the file is not there. */
  readonly names: string
  readonly numClasses: number
  /** Bytes before the pixels, and which of them is the label. */
  readonly labelBytes: number
  readonly labelAt: number
}

const plane = 32 * 32

/**
 * A set in CIFAR's binary form: records of label bytes and three planes (red, green, blue) of 32×32 bytes. It is held
 * in memory; the channels of an image are put last when it is asked for.
 *
 * Errors: those of `readUnpacked`, `cifarLength`, `labelUnknown`, `labelsMisfit`. Source: Krizhevsky, Learning multiple layers of
 * features from tiny images (2009), and the layout on the page of the sets.
 *
 * @example
 * await readCifar('nowhere', { files: ['test.bin'], names: 'names.txt', numClasses: 2, labelBytes: 1, labelAt: 0 })() // left({ code: 'fileUnreadable', sentence: 'nowhere/test.bin: cannot be read: no such file or folder', path: '' })
 */
export const readCifar = (folder: string, { files, names, numClasses, labelBytes, labelAt }: CifarLayout): TaskEither<Problem, Dataset> => async () => {
  const record = labelBytes + 3 * plane
  const records: Uint8Array[] = []
  const origins: string[] = []
  for (const file of files) {
    const read = await readUnpacked(`${folder}/${file}`)()
    if (read._tag === 'Left') return read
    const count = read.right.length / record
    if (!Number.isInteger(count) || count === 0) return left(problem('cifarLength', `${folder}/${file}: ${read.right.length} bytes are not records of ${record}`, { remedy: 'fetch the file again, or see whether it is of the other CIFAR' }))
    for (let i = 0; i < count; i++) {
      const bytes = read.right.subarray(i * record, (i + 1) * record)
      if (bytes[labelAt]! >= numClasses) return left(problem('labelUnknown', `${folder}/${file}: record ${i} has the label ${bytes[labelAt]}, of ${numClasses} classes`, { remedy: 'see whether the file is of the other CIFAR' }))
      records.push(bytes)
      origins.push(`${file} ${i}`)
    }
  }
  const listed = await readUnpacked(`${folder}/${names}`)()
  const classes = listed._tag === 'Left' ? Array.from({ length: numClasses }, (_, i) => `${i}`) : new TextDecoder().decode(listed.right).split(/\r?\n/).filter(line => line !== '')
  if (classes.length !== numClasses) return left(problem('labelsMisfit', `${folder}/${names}: names ${classes.length} classes, not ${numClasses}`))
  const labels = Int32Array.from(records, bytes => bytes[labelAt]!)
  const item = (index: number): TaskEither<Problem, Item> => async () =>
    right({ label: labels[index]!, name: origins[index]!, image: { height: 32, width: 32, channels: 3, pixels: channelsLast(records[index]!.subarray(labelBytes)) } })
  return right({ name: folder, classes, size: records.length, labels, item })
}

/** `[3, 32, 32] → [32, 32, 3]`. */
const channelsLast = (planes: Uint8Array): Uint8Array => {
  const pixels = new Uint8Array(3 * plane)
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] = planes[c * plane + i]!
  return pixels
}
