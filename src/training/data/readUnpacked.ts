import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'

/**
 * The bytes of a file, unpacked if it is gzipped, whatever it is called. Errors: `fileUnreadable`, `gzipBroken`.
 *
 * @example
 * await readUnpacked('nowhere.gz')() // left({ code: 'fileUnreadable', sentence: 'nowhere.gz: cannot be read: no such file or folder', path: '' })
 */
export const readUnpacked = (file: string): TaskEither<Problem, Uint8Array> => async () => {
  const { readFile } = await import('node:fs/promises')
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    return left(problem('fileUnreadable', `${file}: cannot be read: ${reasonOf(cause)}`))
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return right(bytes)
  const [{ gunzip }, { promisify }] = await Promise.all([import('node:zlib'), import('node:util')])
  try {
    return right(await promisify(gunzip)(bytes))
  } catch (cause) {
    const why = codeOf(cause) === 'Z_BUF_ERROR' ? 'it ends too early' : reasonOf(cause)
    return left(problem('gzipBroken', `${file}: cannot be unpacked: ${why}`, { remedy: 'fetch the file again' }))
  }
}
