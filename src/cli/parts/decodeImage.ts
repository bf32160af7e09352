import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { messageOf } from './messageOf.js'

/** An image in memory: `[height, width, channels]` row-major, from 0 to 1. Grey images have one channel, all others three. */
export interface DecodedImage {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly pixels: Float32Array
}

/**
 * Decodes a PNG or JPEG file with sharp, an optional peer: turned as its EXIF data say, transparent parts on
 * white, 16 bits kept. Errors: `sharpMissing`, `imageUnreadable`.
 */
export const decodeImage = (file: string): TaskEither<Problem, DecodedImage> => async () => {
  const loaded = await import('sharp').catch(() => undefined)
  if (loaded === undefined) return left(problem('sharpMissing', 'images are decoded by sharp, which is not installed or does not load here', { remedy: 'npm install sharp' }))
  try {
    const source = loaded.default(file, { failOn: 'error' })
    const { depth, space, hasAlpha } = await source.metadata()
    const grey = space === 'b-w' || space === 'grey16'
    const wide = depth === 'ushort'
    const upright = source.autoOrient()
    const opaque = hasAlpha ? upright.flatten({ background: '#ffffff' }) : upright
    const { data, info } = await opaque
      .toColourspace(grey ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb')
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const samples = wide ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data
    const channels = grey ? 1 : 3
    const pixels = new Float32Array(info.height * info.width * channels)
    for (let i = 0, n = info.height * info.width; i < n; i++) for (let c = 0; c < channels; c++) pixels[i * channels + c] = samples[i * info.channels + c]! / (wide ? 65535 : 255)
    return right({ height: info.height, width: info.width, channels, pixels })
  } catch (cause) {
    const reason = messageOf(cause).replace(`: ${file}`, '')
    return left(problem('imageUnreadable', `${file}: cannot be read as an image: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`))
  }
}
