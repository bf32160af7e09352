import { readFile } from 'node:fs/promises'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { decodeImage as decodeBytes } from '../../training/data/decodeImage.js'
import { messageOf } from './messageOf.js'

/** An image in memory: `[height, width, channels]` row-major, from 0 to 1. Grey images have one channel, all others three. */
export interface DecodedImage {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly pixels: Float32Array
}

/** Reads and decodes an image file, see `training/data/decodeImage`. Errors: `sharpMissing`, `imageUnreadable`. */
export const decodeImage = (file: string): TaskEither<Problem, DecodedImage> => async () => {
  const bytes = await readFile(file).catch((cause: unknown) => messageOf(cause))
  if (typeof bytes === 'string') return left(problem('imageUnreadable', `${file}: cannot be read as an image: ${bytes}`))
  const decoded = await decodeBytes(bytes, file)()
  if (decoded._tag === 'Left') return decoded.left.path === '' ? decoded : left({ ...decoded.left, sentence: `${file}: ${decoded.left.sentence}`, path: '' })
  const { height, width, channels, pixels } = decoded.right
  return right({ height, width, channels: channels === 1 ? 1 : 3, pixels: pixels instanceof Float32Array ? pixels : Float32Array.from(pixels, byte => byte / 255) })
}
