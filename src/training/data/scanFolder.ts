import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { byCodePoint } from './byCodePoint.js'
import type { Skipped } from './image.js'
import { reasonOf } from '../../shape/reasonOf.js'

/** What lies in a folder, at any depth: paths from that folder, with forward slashes, in order of code points. */
export interface Scan {
  readonly files: readonly string[]
  readonly skipped: readonly Skipped[]
}

/** How a scan is followed and ended. */
export interface ScanOptions {
  /** Called now and then with the number of files found so far. */
  readonly onProgress?: (files: number) => void
  readonly signal?: AbortSignal
}

const isImage = /\.(jpe?g|png|webp|gif|avif|bmp|tiff?)$/i

/**
 * Hidden files, and what Windows and macOS leave in folders and archives.
 *
 * @example
 * ['cat.png', '.DS_Store', 'Thumbs.db'].filter(isHidden) // ['.DS_Store', 'Thumbs.db']
 */
export const isHidden = (name: string): boolean => name.startsWith('.') || /^(thumbs\.db|desktop\.ini|__macosx)$/i.test(name)

/**
 * Whether a folder is another or holds it, by their real paths: a link to such a folder leads round in a circle.
 *
 * @example
 * isAround('/sets', '/sets/pets') // true
 */
export const isAround = async (outer: string, inner: string): Promise<boolean> => {
  const { isAbsolute, relative, sep } = await import('node:path')
  const way = relative(outer, inner)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/**
 * Finds the image files below `root/folder` by their names; none is opened. Symbolic links are followed, but not to a
 * folder around this one or, by its real path, entered before, so that no loop is endless. Names are paths from `root`.
 *
 * Errors: `folderUnreadable`, `aborted`.
 *
 * @example
 * await scanFolder('nowhere', 'cats', {}) // left({ code: 'folderUnreadable', sentence: 'nowhere: cannot be listed: no such file or folder', path: '' })
 */
export const scanFolder = async (root: string, folder: string, { onProgress, signal }: ScanOptions, before = 0): Promise<Either<Problem, Scan>> => {
  const { readdir, realpath, stat } = await import('node:fs/promises')
  const files: string[] = []
  const skipped: Skipped[] = []
  const entered = new Set<string>()
  const ahead: string[] = [folder]
  let here = root
  try {
    const top = await realpath(root)
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (signal?.aborted === true) return left(problem('aborted', `${root}: the search for images was stopped`))
      here = `${root}/${name}`
      const real = await realpath(here)
      if (entered.has(real) || (await isAround(real, top))) {
        skipped.push({ name, reason: 'a link to a folder that was already searched' })
        continue
      }
      entered.add(real)
      for (const entry of await readdir(here, { withFileTypes: true })) {
        if (isHidden(entry.name)) continue
        const inner = `${name}/${entry.name}`
        const kind = await kindOf(entry, () => stat(`${root}/${inner}`))
        if (typeof kind === 'string') skipped.push({ name: inner, reason: kind })
        else if (kind.isDirectory()) ahead.push(inner)
        else if (!kind.isFile()) skipped.push({ name: inner, reason: 'not a regular file' })
        else if (!isImage.test(entry.name)) skipped.push({ name: inner, reason: 'not an image, by its name' })
        else files.push(inner)
      }
      onProgress?.(before + files.length)
    }
  } catch (cause) {
    return left(problem('folderUnreadable', `${here}: cannot be listed: ${reasonOf(cause)}`))
  }
  return right({ files: files.sort(byCodePoint), skipped: skipped.sort((a, b) => byCodePoint(a.name, b.name)) })
}

/** What `node:fs` says of a directory's entry, written out: published declarations do not need Node's. */
interface Kind {
  readonly isDirectory: () => boolean
  readonly isFile: () => boolean
}

/** What a directory's entry is, or what the link leads to; why it leads nowhere, where it does. */
export const kindOf = async (entry: Kind & { readonly isSymbolicLink: () => boolean }, follow: () => Promise<Kind>): Promise<Kind | string> =>
  entry.isSymbolicLink() ? follow().catch((cause: unknown) => `a link that leads nowhere: ${reasonOf(cause)}`) : entry
