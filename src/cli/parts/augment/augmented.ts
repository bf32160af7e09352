import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../../shape/problem.js'
import { augmentationsOf } from '../../../training/data/augment/augmentationsOf.js'
import { augmenter } from '../../../training/data/augment/augmenter.js'
import type { Augmentations } from '../../../training/data/augment/augmentationsOf.js'
import type { FitOptions } from '../../../training/data/fitImage.js'
import type { Image } from '../../../training/data/image.js'
import { random } from '../../../training/random.js'
import type { Cell } from './contactSheet.js'

/** Which pictures are made of an image. */
export interface Wanted {
  readonly name: string
  /** Its number among the samples: another one is augmented otherwise. */
  readonly index: number
  readonly seed: number
  readonly count: number
}

/** Normalised values as a picture again; what noise made darker than black or brighter than white is cut off. */
const asSeen = (values: Float32Array, { shape: [height, width, channels], mean = [0], std = [1] }: FitOptions): Cell['picture'] => ({
  height,
  width,
  channels,
  pixels: Uint8Array.from(values, (value, i) => Math.min(255, Math.max(0, Math.round(255 * (value * (std[i % channels] ?? std[0]!) + (mean[i % channels] ?? mean[0]!)))))),
})

/**
 * An image as a model takes it in validation, and as it takes it in training: the picture numbered n is what the n-th
 * epoch would show of that sample, or the n-th time it is shown where it is repeated. Errors: those of `augmenter`.
 */
export const augmented = (image: Image, augmentations: Augmentations, fit: FitOptions, { name, index, seed, count }: Wanted): Either<Problem, readonly Cell[]> => {
  const plain = augmentationsOf([])
  if (plain._tag === 'Left') return plain
  const original = augmenter(plain.right, fit).values(image, random(seed, 'augment', 0))
  if (original._tag === 'Left') return original
  const cells: Cell[] = [{ picture: asSeen(original.right, fit), label: name }]
  const { values } = augmenter(augmentations, fit)
  for (let i = 0; i < count; i++) {
    const [epoch, time] = [Math.floor(i / augmentations.times), i % augmentations.times]
    const made = values(image, random(seed, time === 0 ? 'augment' : `augment ${time}`, epoch, index))
    if (made._tag === 'Left') return made
    cells.push({ picture: asSeen(made.right, fit), label: augmentations.times === 1 ? `epoch ${epoch + 1}` : `epoch ${epoch + 1}, time ${time + 1}` })
  }
  return right(cells)
}
