import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { random } from '../random.js'
import type { WrittenAugmentation } from './augment/augmentation.js'
import type { Augmenter } from './augment/augmenter.js'
import { decodeImage } from './decodeImage.js'
import { fitImage, type FitOptions } from './fitImage.js'
import type { Image, Item } from './image.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'
import { applyTransform, loadTransform, type Transform, type TransformModule } from './transform.js'

/** What is done to every sample; plain data, unless the transform is a function. */
export interface PrepareOptions extends FitOptions {
  readonly seed: number
  readonly transform?: Transform | TransformModule
  /** Steps of augmentation, which follow the transform. */
  readonly augment?: readonly WrittenAugmentation[]
}

/** A sample as a model takes it, `[height, width, channels]`. */
export interface Prepared {
  readonly values: Float32Array
  readonly label: number
  readonly name: string
}

/** Which sample: its random streams are those of its epoch, its index and, where it stands in the epoch more than once, of which time this is. */
export interface Which {
  readonly item: Item
  readonly epoch: number
  readonly index: number
  /** From 0, which it is unless given. */
  readonly time?: number
}

/** These say that the machine is short of something, not that the file is bad. */
const shortages: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM']

/**
 * The function that makes samples what a model takes: read, decode, transform, fit. It runs alike on the thread that
 * trains and in workers.
 *
 * Errors of each sample: `imageUnreadable`, the one that says the file is bad and may be left out; `fileUnreadable` (the
 * machine cannot open more files), `transformMissing`, and those of `decodeImage`, `applyTransform`, `augmentationsOf`,
 * `augmenter` and `fitImage`.
 *
 * @example
 * await samplePreparer({ shape: [1, 1, 1], seed: 1 })({ item: { name: 'a', label: 3, image: { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(255) } }, epoch: 0, index: 0 })() // right({ values: Float32Array.of(1), label: 3, name: 'a' })
 */
export const samplePreparer = (options: PrepareOptions): ((which: Which) => TaskEither<Problem, Prepared>) => {
  const { seed, transform } = options
  let loaded: Promise<Either<Problem, Transform | undefined>> | undefined
  let fitting: Promise<Either<Problem, Fitting>> | undefined
  return ({ item, epoch, index, time = 0 }) => async () => {
    const step = await (loaded ??= typeof transform === 'object' ? loadTransform(transform) : Promise.resolve(right(transform)))
    if (step._tag === 'Left') return step
    const fit = await (fitting ??= fittingOf(options))
    if (fit._tag === 'Left') return fit
    const image = await decoded(item)
    if (image._tag === 'Left') return image
    const sample = { ...image.right, name: item.name, label: item.label }
    const made = step.right === undefined ? right(sample) : applyTransform(step.right, sample, random(seed, streamOf('transform', time), epoch, index))
    if (made._tag === 'Left') return made
    const fitted = fit.right.values(made.right, random(seed, streamOf('augment', time), epoch, index))
    return fitted._tag === 'Left' ? left({ ...fitted.left, path: item.name }) : right({ values: fitted.right, label: made.right.label, name: item.name })
  }
}

type Fitting = Pick<Augmenter, 'values'>

/** A thread that augments nothing reads none of the files that do. */
const fittingOf = async (options: PrepareOptions): Promise<Either<Problem, Fitting>> => {
  if (options.augment === undefined || options.augment.length === 0) return right({ values: image => fitImage(image, options) })
  const [{ augmentationsOf }, { augmenter }] = await Promise.all([import('./augment/augmentationsOf.js'), import('./augment/augmenter.js')])
  const steps = augmentationsOf(options.augment)
  return steps._tag === 'Left' ? steps : right(augmenter(steps.right, options))
}

const streamOf = (name: string, time: number): string => (time === 0 ? name : `${name} ${time}`)

const decoded = async ({ image, name }: Item): Promise<Either<Problem, Image>> => {
  if ('pixels' in image) return right(image)
  if ('bytes' in image) return decodeImage(image.bytes, name)()
  try {
    const { readFile } = await import('node:fs/promises')
    return await decodeImage(await readFile(image.file), name)()
  } catch (cause) {
    const code = shortages.includes(codeOf(cause)) ? 'fileUnreadable' : 'imageUnreadable'
    return left(problem(code, `cannot be read: ${reasonOf(cause)}`, { path: name }))
  }
}
