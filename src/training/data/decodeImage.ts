import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Image } from './image.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'

/**
 * Decodes the bytes of an image file (JPEG, PNG, WebP, GIF, AVIF, TIFF) with sharp, an optional peer: turned as its
 * EXIF data say, transparent parts on white, CMYK as sRGB, the first picture of a moving one. Grey images have one
 * channel, all others three; 16 bits are kept, as floats.
 *
 * Errors: `sharpMissing`, `imageUnreadable` (its `path` is the name that was given).
 *
 * @example
 * await decodeImage(new Uint8Array(0), 'cat.png')() // left({ code: 'imageUnreadable', sentence: 'the file is empty', path: 'cat.png' })
 */
export const decodeImage = (bytes: Uint8Array, name: string): TaskEither<Problem, Image> => async () => {
  if (bytes.length === 0) return left(problem('imageUnreadable', 'the file is empty', { path: name }))
  const loaded = await import('sharp').catch((cause: unknown) => problem('sharpMissing', `images are decoded by sharp, which ${codeOf(cause) === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : `does not load here: ${reasonOf(cause)}`}`, { remedy: 'npm install sharp' }))
  if ('code' in loaded) return left(loaded)
  try {
    const source = loaded.default(bytes, { failOn: 'error' })
    const { depth, space, hasAlpha } = await source.metadata()
    const grey = space === 'b-w' || space === 'grey16'
    const wide = depth === 'ushort'
    const upright = source.autoOrient()
    const opaque = hasAlpha ? upright.flatten({ background: '#ffffff' }) : upright
    const { data, info } = await opaque
      .toColourspace(grey ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb')
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const samples = wide ? scaled(new Uint16Array(data.buffer, data.byteOffset, data.length / 2)) : new Uint8Array(data.buffer, data.byteOffset, data.length)
    const channels = grey ? 1 : 3
    return right({ height: info.height, width: info.width, channels, pixels: info.channels === channels ? samples : firstOf(samples, info.channels, channels) })
  } catch (cause) {
    return left(problem('imageUnreadable', `cannot be read as an image: ${reasonOf(cause)}`, { path: name }))
  }
}

const scaled = (samples: Uint16Array): Float32Array => {
  const values = new Float32Array(samples.length)
  for (let i = 0; i < values.length; i++) values[i] = samples[i]! / 65535
  return values
}

/** The first channels of each pixel; libvips leaves a grey image three equal ones where it went through colour. */
const firstOf = <A extends Uint8Array | Float32Array>(samples: A, stride: number, channels: number): A =>
  samples.filter((_, i) => i % stride < channels) as A
