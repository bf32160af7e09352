import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { of, type TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { byCodePoint } from './byCodePoint.js'
import type { Dataset } from './dataset.js'
import type { Skipped } from './image.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'
import { isAround, isHidden, kindOf, scanFolder, type ScanOptions } from './scanFolder.js'

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions extends ScanOptions {
  /** The classes, in order, where they are not to be read off: those of the training set, for another. Some may then have no images. */
  readonly classes?: readonly string[]
}

/** A dataset of image files. */
export interface ImageFolder extends Dataset {
  /** What was found beside the images and left out, each with why. */
  readonly skipped: readonly Skipped[]
}

/**
 * A folder with a folder for each class, in which the images lie at any depth. Classes are called like their folders
 * and numbered in order of code points, of their names' composed Unicode form (NFC). Files are in order of code points
 * too, found by name (jpg, jpeg, png, webp, gif, avif, bmp, tif, tiff) and not opened: a corrupt one is found when it
 * is first decoded, see `batches`. Hidden files are passed over. Links are followed, loops are not.
 *
 * Errors: `folderUnreadable`, `folderEmpty`, `noClassFolders`, `classEmpty`, `oneClass`, `classTwice`, `classUnknown`, `aborted`.
 *
 * @example
 * await imageFolder('nowhere')() // left({ code: 'folderUnreadable', sentence: 'nowhere: cannot be listed: no such file or folder', path: '' })
 */
export const imageFolder = (path: string, options: ImageFolderOptions = {}): TaskEither<Problem, ImageFolder> => async () => {
  const top = await listed(path)
  if (top._tag === 'Left') return top
  const named = classesOf(path, top.right, options.classes)
  if (named._tag === 'Left') return named
  const { classes, folders } = named.right
  const files: string[] = []
  const labels: number[] = []
  const skipped: Skipped[] = [...top.right.skipped]
  for (const { folder, label } of folders) {
    const scan = await scanFolder(path, folder, options, files.length)
    if (scan._tag === 'Left') return scan
    for (const file of scan.right.files) {
      files.push(file)
      labels.push(label)
    }
    skipped.push(...scan.right.skipped)
  }
  const filled = new Set(labels)
  const empty = classes.filter((_, label) => !filled.has(label))
  if (empty.length > 0 && (options.classes === undefined || files.length === 0)) {
    return left(problem('classEmpty', `${path}: no images for ${empty.slice(0, 5).join(', ')}${empty.length > 5 ? ` and ${empty.length - 5} more` : ''}`, { remedy: 'put images there, remove the folder, or name the classes with the option classes' }))
  }
  return right({
    name: path,
    classes,
    size: files.length,
    labels: Int32Array.from(labels),
    item: index => of({ label: labels[index]!, name: files[index]!, image: { file: `${path}/${files[index]!}` } }),
    skipped,
  })
}

interface Top {
  readonly folders: readonly string[]
  readonly skipped: readonly Skipped[]
}

/** The folders that may be classes, and what lies beside them. */
const listed = async (path: string): Promise<Either<Problem, Top>> => {
  const { readdir, realpath, stat } = await import('node:fs/promises')
  const folders: string[] = []
  const skipped: Skipped[] = []
  try {
    const root = await realpath(path)
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const { name } = entry
      if (isHidden(name)) continue
      const kind = await kindOf(entry, () => stat(`${path}/${name}`))
      if (typeof kind === 'string') skipped.push({ name, reason: kind })
      else if (!kind.isDirectory()) skipped.push({ name, reason: 'lies beside the folders of the classes' })
      else if (entry.isSymbolicLink() && (await isAround(await realpath(`${path}/${name}`), root))) skipped.push({ name, reason: 'a link to a folder around it' })
      else folders.push(name)
    }
  } catch (cause) {
    return left(problem('folderUnreadable', `${path}: cannot be listed: ${codeOf(cause) === 'ENOTDIR' ? 'a file, not a folder' : reasonOf(cause)}`))
  }
  if (folders.length > 0) return right({ folders, skipped })
  if (skipped.length === 0) return left(problem('folderEmpty', `${path}: the folder is empty`, { remedy: 'make a folder in it for each class, with its images' }))
  return left(problem('noClassFolders', `${path}: holds ${skipped.length} files, but no folders`, { remedy: 'make a folder in it for each class, and put the images there' }))
}

interface Classes {
  readonly classes: readonly string[]
  readonly folders: readonly { readonly folder: string; readonly label: number }[]
}

const classesOf = (path: string, { folders }: Top, given: readonly string[] | undefined): Either<Problem, Classes> => {
  const composed = folders.map(folder => ({ folder, name: folder.normalize('NFC') })).sort((a, b) => byCodePoint(a.name, b.name))
  const twice = composed.find(({ name }, i) => name === composed[i + 1]?.name)
  if (twice !== undefined) return left(problem('classTwice', `${path}: two folders are called ${twice.name}, in two Unicode forms`, { remedy: 'put their images into one' }))
  if (given === undefined) {
    const classes = composed.map(({ folder }) => folder)
    if (classes.length === 1) return left(problem('oneClass', `${path}: holds one class only, ${classes[0]}: there is nothing to tell apart`, { remedy: `if the classes are folders in it, give ${path}/${classes[0]}; if one class is meant, name it with the option classes` }))
    return right({ classes, folders: composed.map(({ folder }, label) => ({ folder, label })) })
  }
  const labels = new Map(given.map((name, label) => [name.normalize('NFC'), label]))
  const unknown = composed.find(({ name }) => !labels.has(name))
  if (unknown !== undefined) return left(problem('classUnknown', `${path}: the folder ${unknown.name} is none of the ${given.length} classes given`, { remedy: `the classes are ${given.slice(0, 10).join(', ')}${given.length > 10 ? ', …' : ''}` }))
  return right({ classes: given, folders: composed.map(({ folder, name }) => ({ folder, label: labels.get(name)! })) })
}
